// The page's one program: whose token it holds, what is copied, what is sent. No framework, no other origin.
const TOKEN = "$TOKEN";
const ORIGIN = "https://localhost:8443";
const user = document.querySelector("#user");
const copyToken = document.querySelector("#copy-token");

async function fetchToken() {
  const answer = await fetch("/portal/token", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user: user.value }),
  });
  if (!answer.ok) throw new Error(`no token: ${answer.status}`);
  return (await answer.json()).token;
}

user.value = localStorage.getItem("user") ?? "u-1";
if (!user.value) user.value = "u-1"; // one that is no longer offered

// One promise for everybody who needs the token; a new one when somebody else signs in.
export let token = fetchToken();
const settle = () =>
  token.then(
    () => (copyToken.disabled = false),
    () => (copyToken.textContent = "No token"),
  );
settle();
user.addEventListener("change", () => {
  localStorage.setItem("user", user.value);
  copyToken.disabled = true;
  token = fetchToken();
  settle();
  document.dispatchEvent(new CustomEvent("signed-in"));
});

async function copy(button, text) {
  await navigator.clipboard.writeText(text);
  const before = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = before), 1200);
}

copyToken.addEventListener("click", async () => copy(copyToken, await token));

for (const one of document.querySelectorAll(".example")) {
  const code = one.querySelector("code");
  const text = (code.textContent = code.textContent.replaceAll(ORIGIN, location.origin));
  const button = one.querySelector(".copy");
  // What is shown says $TOKEN; what is copied has it, so that it runs as pasted.
  button.addEventListener("click", async () => copy(button, text.replaceAll(TOKEN, await token)));
  one.querySelector(".send")?.addEventListener("click", (event) => send(one, event.currentTarget));
}

async function send(example, button) {
  const { method, path, body } = button.dataset;
  const shown = example.querySelector(".answer");
  button.disabled = true;
  const headers = { authorization: `Bearer ${await token}`, accept: "application/json" };
  if (body) headers["content-type"] = "application/json";
  const begun = performance.now();
  try {
    const answer = await fetch(path, { method, headers, body: body || undefined });
    show(shown, answer, await answer.text(), performance.now() - begun);
  } catch (error) {
    shown.replaceChildren(element("p", "warn", `It was not answered: ${error.message}`));
  }
  shown.hidden = false;
  button.disabled = false;
}

function show(place, answer, text, ms) {
  const line = element("p", "line");
  line.append(
    element("span", `status ${answer.ok ? "good" : "bad"}`, String(answer.status)),
    element("span", "", `${ms.toFixed(0)} ms`),
    element("span", "", `${new Blob([text]).size} bytes`),
  );
  const trace = answer.headers.get("x-trace-id");
  if (trace) {
    const link = element("a", "", "Trace ↗");
    link.href = `${document.body.dataset.traces}/trace/${trace}`;
    link.target = "_blank";
    link.rel = "noreferrer";
    line.append(link);
  }
  const body = element("pre", "", pretty(text));
  body.tabIndex = 0;
  place.replaceChildren(line, body);
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function element(name, kind, text = "") {
  const one = document.createElement(name);
  if (kind) one.className = kind;
  one.textContent = text;
  return one;
}

// A page that waits for something looks again.
if (document.querySelector("[data-again]")) setTimeout(() => location.reload(), 2000);
