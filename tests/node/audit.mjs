// The audits of GraphQL over HTTP, by the graphql-http package, as they come: reads {url, token} from standard input,
// prints one row for each audit. The token is added to every request; nothing else about them is ours.
import { auditServer } from "graphql-http";
import { text } from "node:stream/consumers";

const { url, token } = JSON.parse(await text(process.stdin));

const fetchFn = (address, asked = {}) =>
  fetch(address, { ...asked, headers: { ...asked.headers, authorization: `Bearer ${token}` } });

const results = await auditServer({ url, fetchFn });

console.log(
  JSON.stringify(
    results.map(({ id, name, status, reason, response }) => ({
      id,
      name,
      status,
      reason: reason ?? null,
      answered: response?.status ?? null,
    })),
  ),
);
