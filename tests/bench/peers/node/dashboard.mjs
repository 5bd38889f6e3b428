// What a competent Node developer writes for the same screen: Fastify with a response schema, undici with a pool.
import Fastify from "fastify";
import { Pool } from "undici";

const { LISTEN_PORT, USERS_URL, ORDERS_URL, ALERTS_URL, TIMEOUT_MS } = process.env;
const timeout = Number(TIMEOUT_MS);
const backend = (url) => new Pool(url, { connections: 128, pipelining: 1, bodyTimeout: timeout, headersTimeout: timeout });
const users = backend(USERS_URL), orders = backend(ORDERS_URL), alerts = backend(ALERTS_URL);

const text = { type: "string" };
const list = (item) => ({ type: "array", items: { type: "object", properties: item } });
const schema = {
  response: {
    200: {
      type: "object",
      properties: {
        userId: text, displayName: text, tier: text,
        recentOrders: list({ id: text, status: text, amount: text, currency: text, placedAt: text }),
        alerts: { ...list({ id: text, severity: text, message: text, createdAt: text }), nullable: true },
        aggregatedAt: text,
        degraded: list({ section: text, reason: text, source: text }),
      },
    },
  },
};

async function ask(pool, path) {
  const { statusCode, body } = await pool.request({ method: "GET", path, headers: { accept: "application/json" } });
  if (statusCode !== 200) {
    await body.dump();
    throw new Error(`status ${statusCode}`);
  }
  return body.json();
}

const app = Fastify({ logger: false });

app.get("/mobile/v1/dashboard", { schema }, async (request) => {
  const id = encodeURIComponent(request.headers["x-user"]);
  const degraded = [];
  const or = (section, value, source) => () => {
    degraded.push({ section, reason: "unreachable", source });
    return value;
  };
  const [profile, recent, known] = await Promise.all([
    ask(users, `/api/internal/users/${id}/profile`).catch(or("profile", { displayName: "User", accountTier: "Free" }, "default")),
    ask(orders, `/api/internal/orders?userId=${id}&limit=5`).catch(or("recentOrders", [], "default")),
    ask(alerts, `/api/internal/alerts?userId=${id}`).catch(or("alerts", null, "none")),
  ]);
  return {
    userId: request.headers["x-user"],
    displayName: profile.displayName,
    tier: profile.accountTier,
    recentOrders: recent,
    alerts: known,
    aggregatedAt: `${new Date().toISOString().slice(0, 19)}Z`,
    degraded,
  };
});

app.get("/health/ready", async () => ({ status: "ready" }));
await app.listen({ host: "127.0.0.1", port: Number(LISTEN_PORT) });
