// Apollo Server 5 on Fastify: its default settings for production. Known documents are in its persisted query cache.
import { ApolloServer } from "@apollo/server";
import fastifyApollo, { fastifyApolloDrainPlugin } from "@as-integrations/fastify";
import { InMemoryLRUCache } from "@apollo/utils.keyvaluecache";
import Fastify from "fastify";
import { contextOf, documents, resolvers, typeDefs } from "./graph.mjs";

const app = Fastify({ logger: false });
const cache = new InMemoryLRUCache();
for (const [id, text] of Object.entries(documents)) await cache.set(`apq:${id}`, text, { ttl: null });
const apollo = new ApolloServer({
  typeDefs, resolvers, persistedQueries: { cache }, plugins: [fastifyApolloDrainPlugin(app)],
});
await apollo.start();
await app.register(fastifyApollo(apollo), {
  path: "/web/graphql",
  context: async (request) => contextOf(request.headers["x-user"]),
});
app.get("/health/ready", async () => ({ status: "ready" }));
await app.listen({ host: "127.0.0.1", port: Number(process.env.LISTEN_PORT) });
