// GraphiQL over our own files, with the signed-in user's token among its headers from the start.
import { token } from "./portal.js";

const place = document.querySelector("#graphiql");

async function begin() {
  const headers = JSON.stringify({ authorization: `Bearer ${await token}` }, null, 2);
  const fetcher = GraphiQL.createFetcher({ url: place.dataset.url });
  const asked = "# Ask; Ctrl-Enter sends. The header below is yours.\n{\n  viewer {\n    displayName\n  }\n}\n";
  const options = { fetcher, headers, defaultQuery: asked, isHeadersEditorEnabled: true, shouldPersistHeaders: false };
  place.replaceChildren();
  ReactDOM.createRoot(place).render(React.createElement(GraphiQL, options));
}

document.addEventListener("signed-in", () => location.reload());
await begin();
