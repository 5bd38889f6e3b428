// What one span carries, opened under its row.

import { h } from "./dom.js";

/** Returns the details of one row. */
export function details(row) {
  const at = (row.offset_us / 1000).toLocaleString("en", { maximumFractionDigits: 3 });
  const own = [["service", row.service], ["span", row.name], ["span id", row.span_id], ["starts at", `${at} ms`], ["takes", `${row.ms} ms`]];
  const span = row.span;
  return h("div", { class: "details" },
    table("Span", own),
    table("Attributes", pairs(span.tags)),
    ...(span.logs ?? []).map((log) => table(`Event at ${when(log, span)} ms`, pairs(log.fields))),
    table("Process", pairs(row.process_tags)),
    table("Warnings", (span.warnings ?? []).map((one) => ["", one])));
}

function table(title, entries) {
  if (!entries.length) return null;
  return h("section", {}, h("h3", {}, title),
    h("dl", {}, entries.map(([key, value]) => [h("dt", {}, key), h("dd", {}, value)])));
}

function pairs(tags) {
  return (tags ?? []).map((one) => [one.key, typeof one.value === "string" ? one.value : JSON.stringify(one.value)])
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function when(log, span) {
  return ((log.timestamp - span.startTime) / 1000).toLocaleString("en", { maximumFractionDigits: 3 });
}
