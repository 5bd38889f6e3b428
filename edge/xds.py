"""Envoy's configuration on disk: each file replaced in one step, in an order in which nothing names what is not there.

Owns the sequence clusters (old and new) → listeners → secrets, routes → clusters (new), and taking back what Envoy
rejects (a NACK). Watching for changes is ``run``'s business.
"""

import asyncio
import json
import os
from pathlib import Path
from typing import Final

from edge.admin import Admin
from edge.envoy.compile import CLUSTERS_FILE, LISTENERS_FILE, Compiled, routes_file
from edge.envoy.words import Json

# Envoy answers within milliseconds; a listener that waits for its keys, within their timeout of 2 s.
VERDICT_TIMEOUT_S: Final = 15.0
POLL_S: Final = 0.02

COUNTERS: Final = {CLUSTERS_FILE: "cluster_manager.cds", LISTENERS_FILE: "listener_manager.lds"}


class Rejected(Exception):
    """Envoy refused an update. The files are as they were before it."""


class XdsFolder:
    """The folder that Envoy watches."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._written: dict[str, str] = {}

    def put_all(self, compiled: Compiled) -> Path:
        """Write everything for an Envoy that is not running yet; return the path of its bootstrap."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._link(compiled)
        for name, content in compiled.files(str(self.folder)).items():
            self._replace(name, _text(content))
        self._replace("bootstrap.json", _text(compiled.bootstrap(str(self.folder))))
        self._sweep(compiled)
        return self.folder / "bootstrap.json"

    async def update(self, compiled: Compiled, admin: Admin) -> None:
        """Bring a running Envoy from what it has to ``compiled``; raises ``Rejected``, and then nothing has changed."""
        before = dict(self._written)
        self._link(compiled)
        files = compiled.files(str(self.folder))
        both = _joined(files[CLUSTERS_FILE], json.loads(before[CLUSTERS_FILE]))
        tables = [name for name in files if name not in COUNTERS]
        fresh = [name for name in tables if name not in before]
        try:
            await self._step(CLUSTERS_FILE, both, admin)
            for name in fresh:  # no one reads them yet; the new listener will
                self._replace(name, _text(files[name]))
            for name in [LISTENERS_FILE, *(one for one in tables if one not in fresh), CLUSTERS_FILE]:
                await self._step(name, files[name], admin)
            self._sweep(compiled)
        except Rejected:
            for name, text in before.items():
                if self._written.get(name) != text:
                    self._replace(name, text)
            raise

    async def _step(self, name: str, content: Json, admin: Admin) -> None:
        text = _text(content)
        if self._written.get(name) == text:
            return
        counter = COUNTERS.get(name) or _own_counter(name)
        accepted, rejected = await admin.verdicts(counter)
        self._replace(name, text)
        async with asyncio.timeout(VERDICT_TIMEOUT_S):
            while True:
                now_accepted, now_rejected = await admin.verdicts(counter)
                if now_rejected > rejected:
                    reasons = await admin.rejections()
                    raise Rejected("; ".join(reasons) or f"{counter}: Envoy's own log line has the reason")
                if now_accepted > accepted:
                    return
                await asyncio.sleep(POLL_S)

    def _link(self, compiled: Compiled) -> None:
        for name, file in compiled.links().items():
            draft = self.folder / f".{name}.draft"
            draft.unlink(missing_ok=True)
            draft.symlink_to(Path(file).absolute())
            os.replace(draft, self.folder / name)  # noqa: PTH105 - as below

    def _sweep(self, compiled: Compiled) -> None:
        """Remove what nobody reads any more: of an earlier run, of a listener that is gone, of an old certificate."""
        kept = {*compiled.files(str(self.folder)), *compiled.links(), "bootstrap.json"}
        for path in (*self.folder.glob("*.json"), *self.folder.glob("*.pem")):
            if path.name not in kept:
                path.unlink(missing_ok=True)
                self._written.pop(path.name, None)

    def _replace(self, name: str, text: str) -> None:
        draft = self.folder / f".{name}.draft"
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, self.folder / name)  # noqa: PTH105 - one atomic step is the point; Path.replace hides that
        self._written[name] = text


def _joined(new: Json, old: Json) -> Json:
    """Return the new clusters and those old ones that routes in flight may still name."""
    names = {cluster["name"] for cluster in new["resources"]}
    return {"resources": [*new["resources"], *(one for one in old["resources"] if one["name"] not in names)]}


def _own_counter(name: str) -> str:
    """Return the counter of a secret, or of a listener's route table."""
    if not name.startswith(routes_file("").removesuffix(".json")):
        return f"sds.{name.removesuffix('.json')}"
    listener = name.removeprefix(routes_file("").removesuffix(".json")).removesuffix(".json")
    return f"http.{listener}.rds.{listener}"


def _text(content: Json) -> str:
    return json.dumps(content, indent=1, sort_keys=True)
