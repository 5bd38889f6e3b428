// One trace: what is true of the whole in words, then its waterfall.

import { h, say, show } from "./dom.js";
import { clock, statusClass } from "./list.js";
import { get, poll } from "./poll.js";
import { Rows } from "./rows.js";

const EVERY = 1000;
const MOST = 30; // half a minute: the last exporter has flushed long before

/** Shows the trace and follows it while it may still grow. */
export function showTrace(id) {
  const rows = new Rows();
  let shown = "";
  let missed = 0;

  poll(async () => {
    const { status, text, body } = await get(`/view/traces/${encodeURIComponent(id)}`);
    if (status === 200) {
      if (text !== shown) draw(body, rows);
      shown = text;
      return body.growing;
    }
    missed += 1;
    const again = status === 404 && missed < 10 && !shown;
    if (!shown) show(missing(id, status, again));
    return again || status === 0;
  }, { every: EVERY, most: MOST });
}

function draw(trace, rows) {
  document.title = `${trace.name} · ${trace.total} ms · Traces`;
  rows.draw(trace);
  if (rows.element.isConnected) {
    document.querySelector(".about").replaceWith(about(trace));
    rows.refocus();
  } else show(about(trace), rows.element);
}

function about(trace) {
  const begun = new Date(trace.start_us / 1000);
  return h("section", { class: "about" },
    h("h1", {}, trace.name || "(unnamed)"),
    h("p", { class: "facts" },
      trace.status ? h("span", { class: statusClass(trace.status) }, trace.status) : null,
      h("span", { class: "total" }, `${trace.total} ms`),
      h("span", {}, trace.deadline),
      h("span", { class: "quiet" }, `from ${trace.service || "nobody"}, ${clock(begun)}`),
      trace.growing ? h("span", { class: "growing" }, "still listening") : null),
    h("p", { class: "id" }, h("span", { class: "quiet" }, "trace "), h("code", {}, trace.trace_id), copy(trace.trace_id)),
    trace.lost.length ? box("bad", "Failed", trace.lost) : null,
    trace.gaps.length ? box("warn", "Degraded", trace.gaps) : null,
    trace.gaps.length || trace.lost.length ? null : h("p", { class: "quiet" }, "No section degraded."),
    trace.notices.length ? h("ul", { class: "box notices" }, trace.notices.map((one) => h("li", {}, one))) : null);
}

function box(kind, title, lines) {
  return h("div", { class: `box ${kind}` }, h("h2", {}, title), h("ul", {}, lines.map((one) => h("li", {}, one))));
}

function copy(id) {
  const button = h("button", { type: "button", class: "copy", onclick: async () => {
    try {
      await navigator.clipboard.writeText(id);
      button.textContent = "Copied";
    } catch { // no permission, or no secure context: select it, so that the keyboard can
      getSelection().selectAllChildren(button.previousElementSibling);
      button.textContent = "Selected";
    }
    say(`Trace id ${button.textContent.toLowerCase()}`);
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  } }, "Copy");
  return button;
}

function missing(id, status, again) {
  const [title, text] = status === 404
    ? ["No such trace", again ? "It may still be on its way: looking again for a few seconds…" : "It was never sampled, or newer ones took its place."]
    : status === 400 ? ["Not a trace id", "A trace id has up to 32 hexadecimal digits; each answer carries it as x-trace-id."]
      : ["The viewer does not answer", "Trying again…"];
  say(title);
  return h("div", { class: "empty" }, h("h1", {}, title), h("p", {}, h("code", {}, id.slice(0, 80))), h("p", {}, text),
    h("p", {}, h("a", { href: "/" }, "All recent traces")));
}
