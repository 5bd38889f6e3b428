"""What the portal shows, read from the tree anew at each visit: contracts, and the edge's routes.

Owns which route of the edge takes an operation. What stands on a route's way is the edge's own telling
(``edge/generated/routes.json``, as ``python -m edge explain`` says it).
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphql import GraphQLSchema, build_schema

from dev.contracts.rest import Operation, operations


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the edge: its name, what it matches, and each thing on its way as word and text."""

    name: str
    owner: str | None
    match: str
    methods: tuple[str, ...]
    way: tuple[tuple[str, str], ...]

    def takes(self, method: str, path: str) -> bool:
        """Say whether a request to this template of a path comes this way."""
        if self.methods and method not in self.methods:
            return False
        before, _, rest = self.match.partition("/{**")
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(before)) + ("(/.*)?" if rest else "")
        return re.fullmatch(pattern, path) is not None

    def says(self, word: str) -> tuple[str, ...]:
        """Return what the route says under one word: ``auth``, ``limit``, ``timeout``."""
        return tuple(text for one, text in self.way if one == word)


@dataclass(frozen=True, slots=True)
class Bff:
    """One BFF: its contract as it is committed, and its routes."""

    name: str
    rest: Any | None
    graph: GraphQLSchema | None
    routes: tuple[Route, ...]

    @property
    def style(self) -> str:
        """What its clients speak."""
        return "REST" if self.rest is not None else "GraphQL"

    def operations(self) -> tuple[Operation, ...]:
        """Return the REST operations, in the order of the document."""
        return tuple(operations(self.rest).values()) if self.rest is not None else ()

    def route_of(self, method: str, path: str) -> Route | None:
        """Return the route that takes a request, as the edge orders them."""
        return next((one for one in self.routes if one.takes(method, path)), None)


def read_tree(tree: Path) -> tuple[tuple[Bff, ...], tuple[Route, ...]]:
    """Return every BFF by name, and every route of the edge."""
    told = json.loads((tree / "edge" / "generated" / "routes.json").read_text(encoding="utf-8"))
    routes = tuple(
        Route(one["name"], one["owner"], one["match"], tuple(one["methods"]), tuple((w, t) for w, t in one["way"]))
        for one in told
    )
    folders = sorted(
        {file.parent for name in ("openapi.json", "schema.graphql") for file in tree.glob(f"bffs/*/{name}")}
    )
    return tuple(_read_bff(folder, routes) for folder in folders), routes


def _read_bff(folder: Path, routes: tuple[Route, ...]) -> Bff:
    rest, graph = folder / "openapi.json", folder / "schema.graphql"
    return Bff(
        name=folder.name,
        rest=json.loads(rest.read_text(encoding="utf-8")) if rest.is_file() else None,
        graph=build_schema(graph.read_text(encoding="utf-8")) if graph.is_file() else None,
        routes=tuple(one for one in routes if one.owner == folder.name),
    )
