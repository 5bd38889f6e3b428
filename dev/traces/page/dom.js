// Making elements. Everything shown came from other processes: it goes in as text, never as HTML.

/** Returns an element; `on…` properties are listeners, the rest attributes (true: empty, false and null: none). */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "vars") for (const [key, one] of Object.entries(value)) element.style.setProperty(key, one);
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Puts `children` in place of what `main` showed. */
export function show(...children) {
  const main = document.getElementById("main");
  main.replaceChildren(...children);
  main.removeAttribute("aria-busy");
}

/** Tells a screen reader, without moving anything. */
export function say(text) {
  document.getElementById("status").textContent = text;
}

/** Arrow keys, Home and End move the focus along `items()`. */
export function walkable(element, items, more = () => false) {
  element.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const all = items();
    const at = all.indexOf(document.activeElement);
    if (at < 0) return;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined ? more(event.key, at, all) : focus(all[to])) event.preventDefault();
  });
}

/** Focuses `item` if there is one. */
export function focus(item) {
  item?.focus();
  return true;
}
