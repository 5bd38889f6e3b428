// The graph that the GraphQL peers serve: a part of ours, over the same backends, with Facebook's own dataloader for what
// lists ask for one by one. What a competent user would write; shared, so that the peers differ in their servers alone.
import DataLoader from "dataloader";
import { Pool } from "undici";

const { USERS_URL, ORDERS_URL, ALERTS_URL, TIMEOUT_MS } = process.env;
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

export const typeDefs = `#graphql
  type Order {
    id: ID! status: String! amount: String! currency: String! placedAt: String!
    customer: Customer lines: [OrderLine]
  }
  type OrderLine { name: String! quantity: Int! unitAmount: String! amount: String! currency: String! product: Product }
  type Product { id: ID! name: String! category: String! }
  type Customer { id: ID! displayName: String! tier: String! }
  type PageInfo { hasNextPage: Boolean! }
  type OrderConnection { nodes: [Order]! pageInfo: PageInfo! }
  type Alert { id: ID! severity: String! message: String! createdAt: String! }
  type Degraded { section: String! reason: String! source: String! ageSeconds: Int retryAfterSeconds: Int }
  type Viewer { id: ID! displayName: String! tier: String! }
  type Dashboard {
    userId: ID! displayName: String! tier: String! recentOrders: [Order]! alerts: [Alert]
    aggregatedAt: String! degraded: [Degraded!]!
  }
  type Query {
    dashboard: Dashboard viewer: Viewer orders(first: Int! = 20): OrderConnection order(id: ID!): Order
  }
`;

const batched = (pool, path, keyOf) =>
  new DataLoader(async (keys) => {
    const found = new Map((await ask(pool, path + keys.map(encodeURIComponent).join(","))).map((one) => [keyOf(one), one]));
    return keys.map((key) => found.get(key) ?? null);
  });

// One request's: nothing that a loader holds is another user's.
export function contextOf(user) {
  const id = encodeURIComponent(user);
  return {
    user,
    load: {
      orders: batched(orders, `/api/internal/orders/batch?userId=${id}&ids=`, (one) => one.id),
      lines: batched(orders, `/api/internal/orders/lines?userId=${id}&ids=`, (one) => one.orderId),
      products: batched(orders, "/api/internal/products?ids=", (one) => one.id),
      customers: batched(users, "/api/internal/users?ids=", (one) => one.userId),
    },
  };
}

async function dashboard(_, __, { user }) {
  const id = encodeURIComponent(user);
  const degraded = [];
  const or = (section, value, source) => () => {
    degraded.push({ section, reason: "unreachable", source });
    return value;
  };
  const [profile, recentOrders, known] = await Promise.all([
    ask(users, `/api/internal/users/${id}/profile`).catch(or("profile", { displayName: "User", accountTier: "Free" }, "default")),
    ask(orders, `/api/internal/orders?userId=${id}&limit=5`).catch(or("recentOrders", [], "default")),
    ask(alerts, `/api/internal/alerts?userId=${id}`).catch(or("alerts", null, "none")),
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
}

const shown = (one) => one && { id: one.userId, displayName: one.displayName, tier: one.accountTier };

export const resolvers = {
  Query: {
    dashboard,
    viewer: async (_, __, { user }) => shown(await ask(users, `/api/internal/users/${encodeURIComponent(user)}/profile`)),
    order: (_, { id }, { load }) => load.orders.load(id),
    orders: async (_, { first }, { user }) => {
      const page = await ask(orders, `/api/internal/users/${encodeURIComponent(user)}/orders?limit=${first}&after=`);
      return { nodes: page.items, pageInfo: { hasNextPage: page.next !== null } };
    },
  },
  Order: {
    customer: async (order, _, { load }) => shown(await load.customers.load(order.userId)),
    lines: async (order, _, { load }) => (await load.lines.load(order.id))?.lines ?? null,
  },
  OrderLine: { product: (line, _, { load }) => load.products.load(line.productId) },
};

// Trusted documents by the SHA-256 of their text; who has an id in hand need not send the text.
export const documents = JSON.parse(process.env.DOCUMENTS ?? "{}");
