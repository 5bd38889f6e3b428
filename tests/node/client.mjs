// A page: Apollo Client as its documentation sets it up, nothing configured but the address and the token.
// Reads {url, token, query} from standard input; prints what a page would have to show: once as `client.query`
// (a promise), once as `client.watchQuery` (what useQuery is made of), each from an empty cache.
import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { text } from "node:stream/consumers";

const { url, token, query } = JSON.parse(await text(process.stdin));

const newClient = () =>
  new ApolloClient({
    link: new HttpLink({ uri: url, headers: { authorization: `Bearer ${token}` } }),
    cache: new InMemoryCache(),
  });

const said = (error) =>
  error && {
    name: error.name,
    graphql: CombinedGraphQLErrors.is(error),
    errors: error.errors ?? null,
    dataInError: error.data ?? null,
  };

const queried = await newClient()
  .query({ query: gql(query) })
  .then(
    ({ data, error }) => ({ settled: "fulfilled", data: data ?? null, error: said(error) ?? null }),
    (error) => ({ settled: "rejected", data: null, error: said(error) }),
  );

const watched = await new Promise((resolve) => {
  newClient()
    .watchQuery({ query: gql(query) })
    .subscribe(({ loading, data, error }) => {
      if (!loading) resolve({ data: data ?? null, error: said(error) ?? null });
    });
});

console.log(JSON.stringify({ queried, watched }));
