// The same screen as a GraphQL field, by Apollo Server 5 on Fastify: its default settings for production, undici pools.
import { ApolloServer } from "@apollo/server";
import fastifyApollo, { fastifyApolloDrainPlugin } from "@as-integrations/fastify";
import Fastify from "fastify";
import { Pool } from "undici";

const { LISTEN_PORT, USERS_URL, ORDERS_URL, ALERTS_URL, TIMEOUT_MS } = process.env;
const timeout = Number(TIMEOUT_MS);
const backend = (url) => new Pool(url, { connections: 128, pipelining: 1, bodyTimeout: timeout, headersTimeout: timeout });
const users = backend(USERS_URL), orders = backend(ORDERS_URL), alerts = backend(ALERTS_URL);

async function ask(pool, path) {
  const { statusCode, body } = await pool.request({ method: "GET", path, headers: { accept: "application/json" } });
  if (statusCode !== 200) {
    await body.dump();
    throw new Error(`status ${statusCode}`);
  }
  return body.json();
}

const typeDefs = `#graphql
  type Order { id: ID! status: String! amount: String! currency: String! placedAt: String! }
  type Alert { id: ID! severity: String! message: String! createdAt: String! }
  type Degraded { section: String! reason: String! source: String! }
  type Dashboard {
    userId: ID! displayName: String! tier: String! recentOrders: [Order]! alerts: [Alert]
    aggregatedAt: String! degraded: [Degraded!]!
  }
  type Query { dashboard: Dashboard! }
`;

const resolvers = {
  Query: {
    dashboard: async (_, __, { user }) => {
      const id = encodeURIComponent(user);
      const degraded = [];
      const or = (section, value, source) => () => {
        degraded.push({ section, reason: "UNREACHABLE", source });
        return value;
      };
      const [profile, recentOrders, known] = await Promise.all([
        ask(users, `/api/internal/users/${id}/profile`).catch(or("profile", { displayName: "User", accountTier: "Free" }, "DEFAULT")),
        ask(orders, `/api/internal/orders?userId=${id}&limit=5`).catch(or("recentOrders", [], "DEFAULT")),
        ask(alerts, `/api/internal/alerts?userId=${id}`).catch(or("alerts", null, "NONE")),
      ]);
      return {
        userId: user,
        displayName: profile.displayName,
        tier: profile.accountTier,
        recentOrders,
        alerts: known,
        aggregatedAt: `${new Date().toISOString().slice(0, 19)}Z`,
        degraded,
      };
    },
  },
};

const app = Fastify({ logger: false });
const apollo = new ApolloServer({ typeDefs, resolvers, plugins: [fastifyApolloDrainPlugin(app)] });
await apollo.start();
await app.register(fastifyApollo(apollo), {
  path: "/web/graphql",
  context: async (request) => ({ user: request.headers["x-user"] }),
});
app.get("/health/ready", async () => ({ status: "ready" }));
await app.listen({ host: "127.0.0.1", port: Number(LISTEN_PORT) });
