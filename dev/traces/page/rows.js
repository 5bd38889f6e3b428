// The waterfall's rows: a button each, its details below it once opened.

import { details } from "./details.js";
import { focus, h, walkable } from "./dom.js";

const HUES = 6;

/** Draws a trace's rows, and keeps what is open and focused when they are drawn again. */
export class Rows {
  constructor() {
    this.open = new Set();
    this.focused = null;
    this.list = h("ol", { class: "rows" });
    this.axis = h("div", { class: "axis", "aria-hidden": "true" });
    this.legend = h("div", { class: "legend" });
    this.element = h("section", { class: "waterfall", "aria-label": "Waterfall" }, this.axis, this.list, this.legend);
    const buttons = () => [...this.list.querySelectorAll(".row")];
    walkable(this.list, buttons, (key, at, all) => this.step(key, all[at], all));
    this.list.addEventListener("focusin", (event) => this.rove(event.target));
  }

  draw(trace) {
    this.had = this.list.contains(document.activeElement);
    this.element.style.setProperty("--deadline-at", trace.deadline_us / trace.scale_us);
    this.element.style.setProperty("--step", (trace.ticks[1]?.at_us ?? trace.scale_us) / trace.scale_us);
    this.axis.replaceChildren(axis(trace));
    this.list.replaceChildren(...trace.rows.map((row) => this.item(row, trace)));
    this.legend.replaceChildren(...legend(trace));
    this.rove(this.row(this.focused) ?? this.list.querySelector(".row"));
  }

  item(row, trace) {
    const button = h("button", {
      type: "button", class: `row ${row.role}`, "data-span": row.span_id, "data-depth": row.depth,
      "aria-expanded": String(this.open.has(row.span_id)), tabindex: -1, vars: { "--depth": Math.min(row.depth, 12) },
      onclick: () => this.toggle(item, row),
    },
    h("span", { class: "name", title: `${row.service} ${row.name}` }, row.label || "(unnamed)"),
    h("span", { class: "ms" }, row.ms, h("span", { class: "unit" }, " ms")),
    h("span", { class: `marks${row.marks.every((one) => tone(row, one) === "plain") ? " calm" : ""}` }, row.marks.map((one) => h("span", { class: `mark ${tone(row, one)}` }, one))),
    h("span", { class: "track" },
      h("span", { class: barClass(row, trace), vars: { "--from": row.offset_us / trace.scale_us, "--share": row.duration_us / trace.scale_us } }),
      trace.deadline_in_sight ? h("span", { class: "deadline" }) : null));
    const item = h("li", {}, button);
    if (this.open.has(row.span_id)) item.append(details(row));
    return item;
  }

  toggle(item, row) {
    const opened = !this.open.delete(row.span_id);
    if (opened) {
      this.open.add(row.span_id);
      item.append(details(row));
    } else item.querySelector(".details").remove();
    item.firstElementChild.setAttribute("aria-expanded", String(opened));
  }

  /** Right opens, then goes to the first child; left closes, then goes to the parent. */
  step(key, button, all) {
    const expanded = button.getAttribute("aria-expanded") === "true";
    const depth = Number(button.dataset.depth);
    const at = all.indexOf(button);
    if (key === "ArrowRight") {
      if (!expanded) button.click();
      else if (Number(all[at + 1]?.dataset.depth) > depth) focus(all[at + 1]);
    } else if (key === "ArrowLeft") {
      if (expanded) button.click();
      else focus(all.slice(0, at).reverse().find((one) => Number(one.dataset.depth) < depth));
    } else return false;
    return true;
  }

  /** One row is in the tab order: the one last focused. */
  rove(button) {
    if (!button?.classList.contains("row")) return;
    for (const one of this.list.querySelectorAll('.row[tabindex="0"]')) one.tabIndex = -1;
    button.tabIndex = 0;
    this.focused = button.dataset.span;
  }

  refocus() {
    if (this.had) this.row(this.focused)?.focus({ preventScroll: true });
  }

  row(id) {
    return id ? this.list.querySelector(`.row[data-span="${CSS.escape(id)}"]`) : null;
  }
}

function axis(trace) {
  const scale = (at) => ({ "--at": at / trace.scale_us });
  return h("div", { class: "scale" },
    trace.ticks.map((one) => h("span", { class: "tick", vars: scale(one.at_us) }, one.label)),
    trace.deadline_in_sight
      ? h("span", { class: `flag${trace.deadline_us < trace.scale_us / 2 ? " early" : ""}`, vars: scale(trace.deadline_us) }, "deadline")
      : null);
}

function barClass(row, trace) {
  const hue = row.backend ? `hue-${trace.backends.indexOf(row.backend) % HUES}` : "own";
  return `bar ${hue}${row.cancelled ? " cancelled" : row.error ? " failed" : ""}${row.degraded && row.outcome !== "failed" ? " degraded" : ""}${row.outcome === "failed" ? " lost" : ""}`;
}

function tone(row, mark) {
  if (/^(retried|cancelled|degraded)/.test(mark)) return "warn";
  return (row.error && !row.cancelled) || mark.startsWith("failed") ? "bad" : "plain";
}

function legend(trace) {
  const key = (classes, text) => h("span", { class: "key" }, h("span", { class: "swatch" }, h("span", { class: classes })), text);
  const has = (test) => trace.rows.some(test);
  return [
    ...trace.backends.map((one, at) => key(`bar attempt-like hue-${at % HUES}`, one)),
    has((row) => row.role === "section") ? key("bar section-like own", "section") : null,
    has((row) => row.error && !row.cancelled) ? key("bar attempt-like own failed", "failed") : null,
    has((row) => row.cancelled) ? key("bar attempt-like own cancelled", "cancelled") : null,
    trace.deadline_in_sight ? h("span", { class: "key" }, h("span", { class: "swatch upright" }), "deadline") : null,
    h("span", { class: "key keys" }, h("kbd", {}, "↑"), h("kbd", {}, "↓"), " move ", h("kbd", {}, "Enter"), " open"),
  ].filter(Boolean);
}
