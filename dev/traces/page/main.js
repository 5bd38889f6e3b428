// The page's one entry: the address says what to show.

import { showList } from "./list.js";
import { showTrace } from "./trace.js";

const find = document.getElementById("find");
find.addEventListener("keydown", (event) => {
  const id = find.value.trim().toLowerCase();
  if (event.key === "Enter" && id) location.assign(`/trace/${encodeURIComponent(id)}`);
});

const [, folder, id] = location.pathname.split("/");
if (folder === "trace" && id) showTrace(decodeURIComponent(id));
else showList();
