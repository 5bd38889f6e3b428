// mercurius with graphql-jit on Fastify: operations compiled to JavaScript when they come for the first time.
import Fastify from "fastify";
import mercurius from "mercurius";
import { contextOf, documents, resolvers, typeDefs } from "./graph.mjs";

const app = Fastify({ logger: false });
await app.register(mercurius, {
  schema: typeDefs,
  resolvers,
  jit: 1,
  path: "/web/graphql",
  context: (request) => contextOf(request.headers["x-user"]),
  persistedQueryProvider: {
    isPersistedQuery: (request) => !request.query && request.extensions?.persistedQuery,
    getHash: (request) => request.extensions.persistedQuery.sha256Hash,
    getQueryFromHash: async (id) => documents[id],
  },
});
app.get("/health/ready", async () => ({ status: "ready" }));
await app.listen({ host: "127.0.0.1", port: Number(process.env.LISTEN_PORT) });
