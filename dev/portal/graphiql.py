"""GraphiQL from files of this machine: no page of ours loads a script from anywhere else.

Owns which files, and how they get here: npm's, at the first visit (``dev/clients/workshop.py``), once a machine.
"""

import asyncio
from pathlib import Path
from typing import Final

from dev.clients.workshop import FOLDER, WorkshopError, open_workshop
from dev.portal.html import tag
from dev.portal.layout import page
from dev.portal.tree import Bff
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

FILES: Final = {
    "react.js": "react/umd/react.production.min.js",
    "react-dom.js": "react-dom/umd/react-dom.production.min.js",
    "graphiql.js": "graphiql/graphiql.min.js",
    "graphiql.css": "graphiql/graphiql.min.css",
}


class GraphiqlFiles:
    """The files, and the fetching of them where they are missing."""

    def __init__(self, folder: Path = FOLDER / "node_modules") -> None:
        self._folder = folder
        self._fetching: asyncio.Task[None] | None = None
        self.trouble = ""

    def file(self, name: str) -> Path | None:
        """Return one of ``FILES``, or None."""
        place = self._folder / FILES[name] if name in FILES else None
        return place if place is not None and place.is_file() else None

    @property
    def here(self) -> bool:
        """Whether all of them are."""
        return all(self.file(name) for name in FILES)

    def fetch(self) -> None:
        """Fetch them behind the answer, unless somebody does."""
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch())

    async def _fetch(self) -> None:
        try:
            await asyncio.to_thread(open_workshop)
            self.trouble = ""
        except (WorkshopError, OSError) as error:
            self.trouble = str(error)
            log.warning("graphiql_not_fetched", why=self.trouble)


def graphiql_page(bff: Bff, bffs: tuple[Bff, ...], files: GraphiqlFiles, *, path: str, traces: str) -> str:
    """Return GraphiQL, or a page that says it is on its way and looks again."""
    if not files.here:
        files.fetch()
        said = files.trouble or "Its files are being fetched from npm, once on this machine; this page looks again."
        waiting = tag("section", tag("h1", "GraphiQL"), tag("p", said, class_="lead", data_again=True), class_="hero")
        return page("GraphiQL", bffs, waiting, here=bff.name, traces=traces)
    sources = [tag("script", src=f"/portal/graphiql/{name}") for name in FILES if name.endswith(".js")]
    return page(
        f"GraphiQL · {bff.name}",
        bffs,
        tag("link", rel="stylesheet", href="/portal/graphiql/graphiql.css"),
        tag("div", "Loading …", id="graphiql", data_url=path),
        *sources,
        tag("script", src="/portal/static/graphiql.js", type="module"),
        here=bff.name,
        traces=traces,
        wide=True,
    )
