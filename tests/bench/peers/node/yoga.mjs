// GraphQL Yoga 5 on Node's own server, as its guide has it; known documents by its plugin for persisted operations.
import { usePersistedOperations } from "@graphql-yoga/plugin-persisted-operations";
import { createSchema, createYoga } from "graphql-yoga";
import { createServer } from "node:http";
import { contextOf, documents, resolvers, typeDefs } from "./graph.mjs";

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  graphqlEndpoint: "/web/graphql",
  healthCheckEndpoint: "/health/ready",
  logging: false,
  context: ({ request }) => contextOf(request.headers.get("x-user")),
  plugins: [usePersistedOperations({ getPersistedOperation: (id) => documents[id], allowArbitraryOperations: true })],
});
createServer(yoga).listen(Number(process.env.LISTEN_PORT), "127.0.0.1");
