// What an app's code looks like on the generated clients. Compiled by tsc --strict, then run against the running system.
import { print } from "graphql";
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import createClient from "openapi-fetch";
import type { components, paths } from "./mobile.js";
import { DashboardDocument } from "./web.js";

declare const process: { env: Record<string, string> };
const { EDGE, TOKEN } = process.env;
const headers = { authorization: `Bearer ${TOKEN}` };

// REST: paths, answers and problems are typed; a section that may be missing has to be asked for.
const mobile = createClient<paths>({ baseUrl: EDGE, headers });
const { data, error } = await mobile.GET("/mobile/v1/dashboard");
if (error) throw new Error(`${error.code}: retry after ${error.retryAfterSeconds ?? "never"}`);
const first: string | undefined = data.recentOrders?.[0]?.id;
const alerts: number | undefined = data.alerts?.length;

const nobody = createClient<paths>({ baseUrl: EDGE });
const refused = await nobody.GET("/mobile/v1/profile");
const code: components["schemas"]["ProblemCode"] | undefined = refused.error?.code;

// GraphQL: a document carries the types of its variables and of its result.
async function ask<Result, Variables>(document: TypedDocumentNode<Result, Variables>, variables: Variables) {
  const body = JSON.stringify({ query: print(document), variables });
  const answer = await fetch(`${EDGE}/web/graphql`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body,
  });
  return (await answer.json()) as { data?: Result };
}
const page = (await ask(DashboardDocument, {})).data?.dashboard;

console.log(
  JSON.stringify({
    rest: { name: data.displayName, order: first, alerts, degraded: data.degraded.map((gap) => gap.section) },
    refused: { status: refused.response.status, code },
    graph: { name: page?.displayName, order: page?.recentOrders?.[0]?.id, degraded: page?.degraded.map((gap) => gap.section) },
  }),
);
