// Asking again, with a bound: a page left open must not ask for ever.

/** Calls `ask` now and every `every` ms while it returns true, at most `most` times, and never while hidden. */
export async function poll(ask, { every, most }) {
  for (let turn = 0; turn < most; turn += 1) {
    if (!(await ask())) return;
    await pause(every);
    await visible();
  }
}

function pause(time) {
  return new Promise((done) => setTimeout(done, time));
}

function visible() {
  if (document.visibilityState === "visible") return Promise.resolve();
  return new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
}

/** Fetches JSON; `status` is 0 when nobody answers. */
export async function get(address) {
  try {
    const response = await fetch(address, { headers: { accept: "application/json" } });
    const text = await response.text();
    return { status: response.status, text, body: JSON.parse(text) };
  } catch {
    return { status: 0, text: "", body: null };
  }
}
