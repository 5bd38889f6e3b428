"""``python -m dev contract-check``: each contract against the commit before, and against every client that shipped.

Owns which files are compared and what the outcome is. A breaking change fails, unless a waiver of its BFF names it.
"""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import yaml
from graphql import DocumentNode, GraphQLSchema, build_schema, parse

from dev.contracts.change import BREAKING, SAFE, Change
from dev.contracts.graph import concerns, coordinates, graph_changes, misfits
from dev.contracts.rest import rest_changes
from dev.contracts.shipped import trimmed
from dev.contracts.waivers import read_waivers

REST: Final = "openapi.json"
GRAPH: Final = "schema.graphql"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One BFF: what changed, and which waiver allows what."""

    bff: str
    base: str | None
    clients: tuple[str, ...]
    changes: tuple[Change, ...]
    waived: dict[str, str]

    @property
    def broken(self) -> tuple[Change, ...]:
        """What fails the build."""
        return tuple(one for one in self.changes if one.severity is BREAKING and one.key not in self.waived)

    def lines(self) -> Iterator[str]:
        """Yield what a person should read."""
        against = f"against {self.base}" if self.base else "new: no commit has it yet"
        yield f"{self.bff}: {against}, and {', '.join(self.clients) or 'no shipped client'}"
        for one in self.changes:
            waiver = self.waived.get(one.key) if one.severity is BREAKING else None
            yield f"  {one}" + (f" (allowed by {waiver})" if waiver else "")


def check(root: Path, base: str | None = None) -> tuple[Verdict, ...]:
    """Judge every contract under ``root/bffs``; ``base``: a commit instead of the one before."""
    files = sorted([*root.glob(f"bffs/*/{REST}"), *root.glob(f"bffs/*/{GRAPH}")])
    return tuple(_judge(root, file, base) for file in files)


def _judge(root: Path, file: Path, base: str | None) -> Verdict:
    folder, name = file.parent, file.relative_to(root).as_posix()
    commit, before = _before(root, name, base)
    now = file.read_text(encoding="utf-8")
    found, clients = (_rest if file.name == REST else _graph)(folder, before, now)
    waived = {
        key: one.file.relative_to(root).as_posix() for one in read_waivers(folder / "waivers") for key in one.keys
    }
    shown = tuple(one for one in found if one.severity is not SAFE)
    return Verdict(folder.name, commit, clients, shown, waived)


def _before(root: Path, name: str, base: str | None) -> tuple[str | None, str | None]:
    """Return the commit to compare with, and the contract in it: HEAD, unless nothing was edited since."""
    for commit in (base,) if base else ("HEAD", "HEAD~1"):
        done = subprocess.run(
            ["git", "show", f"{commit}:{name}"], cwd=root, capture_output=True, text=True, check=False
        )
        if done.returncode:
            return None, None
        if base or commit == "HEAD~1" or done.stdout != (root / name).read_text(encoding="utf-8"):
            return commit, done.stdout
    return None, None


def _rest(folder: Path, before: str | None, now: str) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    after: Any = json.loads(now)
    changes = rest_changes(json.loads(before), after) if before else ()
    shipped = {one.name.removesuffix(f".{REST}"): one for one in sorted((folder / "clients").glob(f"*.{REST}"))}
    own = {name: rest_changes(json.loads(file.read_text(encoding="utf-8")), after) for name, file in shipped.items()}
    return _with_readers(changes, own), tuple(shipped)


def _graph(folder: Path, before: str | None, now: str) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    after = build_schema(now)
    previous = build_schema(before) if before else after
    own: dict[str, tuple[Change, ...]] = {}
    for file in sorted((folder / "clients").glob(f"*.{GRAPH}")):
        name = file.name.removesuffix(f".{GRAPH}")
        document = parse(file.with_name(f"{name}.graphql").read_text(encoding="utf-8"))
        own[name] = tuple(_of_client(name, document, (build_schema(file.read_text(encoding="utf-8")), previous), after))
    return _with_readers(graph_changes(previous, after), own), tuple(own)


def _of_client(
    name: str, document: DocumentNode, since: tuple[GraphQLSchema, ...], after: GraphQLSchema
) -> Iterator[Change]:
    """Yield what changed of what the client reads, since it shipped and since the commit before."""
    seen: set[str] = set()
    for schema in since:
        reads = coordinates(schema, document)
        for one in graph_changes(schema, after):
            if one.key not in seen and concerns(one, reads):
                seen.add(one.key)
                yield one
    if wrong := misfits(after, document):
        yield Change(kind="document-refused", side="request", where=name, says=" ".join(wrong), severity=BREAKING)


def _with_readers(changes: tuple[Change, ...], own: dict[str, tuple[Change, ...]]) -> tuple[Change, ...]:
    """Add to each change its readers; then what only a client sees, which shipped before the commit before."""
    known = {one.key: one for one in changes}
    alone = {
        one.key: one for found in own.values() for one in found if one.severity is not SAFE and one.key not in known
    }
    readers = {
        key: tuple(name for name, found in own.items() if key in {one.key for one in found}) for key in known | alone
    }
    return tuple(replace(one, clients=readers[one.key]) for one in (*changes, *alone.values()))


def ship(root: Path, bff: str, client: str) -> Path:
    """Keep what a client relies on from today: writes the part of the contract that ``clients/<client>`` selects.

    Raises FileExistsError when it shipped before, FileNotFoundError without a selection, SelectionError.
    """
    folder = root / "bffs" / bff
    rest = (folder / REST).is_file()
    kept = folder / "clients" / f"{client}.{REST if rest else GRAPH}"
    if kept.exists():
        raise FileExistsError(f"{kept.relative_to(root)} is there: {client} has shipped; an update is another client")
    if rest:
        selection = yaml.safe_load(kept.with_name(f"{client}.yaml").read_text(encoding="utf-8"))
        document = trimmed(json.loads((folder / REST).read_text(encoding="utf-8")), selection)
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    else:
        kept.with_name(f"{client}.graphql").read_text(encoding="utf-8")
        text = (folder / GRAPH).read_text(encoding="utf-8")
    kept.write_text(text, encoding="utf-8")
    return kept
