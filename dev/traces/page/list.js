// The list of recent traces: newest first, kept fresh for a while.

import { h, say, show, walkable } from "./dom.js";
import { get, poll } from "./poll.js";

const EVERY = 3000;
const MOST = 600; // half an hour of looking; reloading begins anew
const LIMIT = 100;

const asked = new URLSearchParams(location.search);
const state = { service: asked.get("service") ?? "", problems: asked.has("problems"), text: "", body: null };

/** Shows the list and keeps it fresh. */
export function showList() {
  const select = h("select", { id: "service", onchange: () => choose({ service: select.value }) });
  const problems = h("input", { type: "checkbox", onchange: () => choose({ problems: problems.checked }) });
  problems.checked = state.problems;
  const lines = h("ol", { class: "lines" });
  walkable(lines, () => [...lines.querySelectorAll("a")]);
  const notice = h("p", { class: "notice", hidden: true }, "The viewer does not answer. Trying again…");
  show(
    h("div", { class: "head" }, h("h1", {}, "Recent traces"),
      h("div", { class: "filters" },
        h("label", {}, "Service ", select), h("label", {}, problems, " Only degraded or failed"))),
    notice, lines,
  );

  async function refresh() {
    const query = new URLSearchParams({ limit: LIMIT, ...(state.service && { service: state.service }) });
    const { status, text, body } = await get(`/view/traces?${query}`);
    notice.hidden = status === 200;
    if (status === 200 && text !== state.text) {
      Object.assign(state, { text, body });
      draw();
    }
    return true;
  }

  function draw() {
    if (!state.body) return;
    const services = ["", ...new Set([...state.body.services, state.service])].filter((one, at) => one || at === 0);
    select.replaceChildren(...services.map((one) => h("option", { value: one, selected: one === state.service }, one || "all")));
    const traces = state.body.traces.filter((one) => !state.problems || one.degraded.length || one.errors);
    const longest = Math.max(1, ...traces.map((one) => one.total_us));
    const focused = document.activeElement?.getAttribute("href");
    lines.replaceChildren(...(traces.length ? traces.map((one) => line(one, longest)) : [empty()]));
    if (focused) lines.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
    say(`${traces.length} traces`);
  }

  function choose(change) {
    Object.assign(state, change);
    const query = new URLSearchParams();
    if (state.service) query.set("service", state.service);
    if (state.problems) query.set("problems", "");
    history.replaceState(null, "", query.size ? `/search?${query}` : "/");
    draw();
    refresh();
  }

  poll(refresh, { every: EVERY, most: MOST });
}

function line(trace, longest) {
  const begun = new Date(trace.start_us / 1000);
  return h("li", {},
    h("a", { class: "line", href: `/trace/${trace.trace_id}` },
      h("time", { datetime: isNaN(begun) ? null : begun.toISOString() }, clock(begun)),
      h("span", { class: "what" }, h("b", {}, trace.name), h("span", { class: "quiet" }, ` ${trace.service}`)),
      h("span", { class: "marks" },
        trace.status ? h("span", { class: statusClass(trace.status) }, trace.status) : null,
        trace.degraded.length ? h("span", { class: "mark warn" }, `degraded ${trace.degraded.join(", ")}`) : null,
        trace.errors ? h("span", { class: "mark bad" }, `${trace.errors} failed`) : null),
      h("span", { class: "took" },
        h("span", { class: "little", vars: { "--share": trace.total_us / longest } }), h("span", {}, `${trace.total} ms`)),
      h("span", { class: "quiet count" }, `${trace.spans} span${trace.spans === 1 ? "" : "s"}`)));
}

function empty() {
  const filtered = state.problems || state.service;
  return h("li", { class: "empty" },
    h("h2", {}, filtered ? "Nothing fits" : "No traces yet"),
    h("p", {}, filtered ? "No recent trace fits this choice." : "Each request through the edge shows up here a moment later. Try one:"),
    filtered ? null : h("pre", {}, 'curl -k https://localhost:8443/mobile/v1/dashboard \\\n  -H "Authorization: Bearer $(.venv/bin/python -m dev token u-1)"'));
}

/** Returns the classes of a status mark. */
export function statusClass(status) {
  return `mark status ${status >= 500 ? "bad" : status >= 400 ? "warn" : "good"}`;
}

/** Returns the time of day, to the millisecond. */
export function clock(date) {
  if (isNaN(date)) return "";
  const two = (value) => String(value).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
