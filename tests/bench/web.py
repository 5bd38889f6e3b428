"""The web groups: one operation a row, by Frontage and by the GraphQL servers of Node.

Owns the operations, and how each server is sent a text or the id of one. The peers are ``peers/node``: the same graph
over the same backends, with loaders; none of our policies.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from tests.bench.backends import Addresses
from tests.bench.machine import ROOT, STATE, Tools
from tests.bench.measure import Bench, Load, Row
from tests.bench.ratios import against_others
from tests.bench.variants import Variant, frontage, peers

LOADS: Final = [Load("c=64"), Load("c=8", connections=8)]
MANIFEST: Final = ROOT / "bffs/web/documents.json"

DASHBOARD: Final = """query Dashboard { dashboard {
  userId displayName tier aggregatedAt
  recentOrders { id status amount currency placedAt }
  alerts { id severity message createdAt }
  degraded { section reason source }
} }"""
ORDERS: Final = """query Orders { orders(first: 50) {
  nodes { id status amount currency placedAt } pageInfo { hasNextPage }
} }"""
# Fifty orders, each with its customer and two lines, each line with its product: 151 fields that need a backend.
NESTED: Final = """query Nested { orders(first: 50) { nodes {
  id status amount
  customer { id displayName tier }
  lines { name quantity unitAmount amount product { id name category } }
} } }"""
ROOTS: Final = "query Roots { viewer { id displayName tier } dashboard { tier alerts { id } } " + (
    "orders(first: 5) { nodes { id status } } "
    + " ".join(f'o{number}: order(id: "o-{number}") {{ id status amount }}' for number in range(7))
    + " }"
)


def web_trusted(bench: Bench) -> list[Row]:
    """The dashboard as a trusted document: its id is sent, never its text."""
    text = trusted_dashboard()
    return compared(bench, "web-trusted", text, by_id=True)


def web_text(bench: Bench) -> list[Row]:
    """The dashboard as text, the same again and again; and with graphql-core in the place of plans."""
    core = frontage(
        bench.where, "frontage-graphql=core", module="bffs.web", path="/web/graphql", body=body_of(DASHBOARD),
        graphql="core",
    )  # fmt: skip
    return compared(bench, "web-text", DASHBOARD, core)


def web_orders(bench: Bench) -> list[Row]:
    """A list of fifty orders."""
    return compared(bench, "web-orders", ORDERS)


def web_nested(bench: Bench) -> list[Row]:
    """The shape that asks once for each item, were it not for loaders."""
    return compared(bench, "web-nested", NESTED)


def web_roots(bench: Bench) -> list[Row]:
    """Ten root fields in one operation."""
    return compared(bench, "web-roots", ROOTS)


def compared(bench: Bench, group: str, text: str, *more: Variant, by_id: bool = False) -> list[Row]:
    """Measure one operation by every server."""
    known = {id_of(text): text} if by_id else {}
    ours = json.dumps({"documentId": id_of(text)}) if by_id else body_of(text)
    theirs = body_of(text, by_id=by_id)
    variants = [
        frontage(bench.where, module="bffs.web", path="/web/graphql", body=ours),
        *more,
        *(peer(bench.where, bench.tools, name, theirs, known) for name in ("apollo", "mercurius", "yoga")),
    ]
    return against_others(bench.compare(group, variants, LOADS))


def peer(where: Addresses, tools: Tools, name: str, body: str, documents: Mapping[str, str]) -> Variant:
    """Return a GraphQL server of Node's, on the machine's Node."""
    (like,) = peers(where, tools, "node-fastify")
    environment = {**like.environment, "DOCUMENTS": json.dumps(dict(documents))}
    shown = "mercurius-jit" if name == "mercurius" else name
    return Variant(shown, ("node", str(STATE / f"node/{name}.mjs")), environment, "/web/graphql", body)


def body_of(text: str, *, by_id: bool = False) -> str:
    """Return what a client posts: the text, or its id as Apollo's persisted queries say it."""
    persisted = {"persistedQuery": {"version": 1, "sha256Hash": id_of(text)}}
    body: dict[str, Any] = {"extensions": persisted} if by_id else {"query": text}
    return json.dumps(body)


def trusted_dashboard(manifest: Path = MANIFEST) -> str:
    """Return the dashboard's document as a page of ours sends it, from the manifest of what is deployed."""
    texts = [text for text in json.loads(manifest.read_text()).values() if text.startswith("query Dashboard")]
    return min(texts, key=len)  # the other one has a __typename in every selection


def id_of(text: str) -> str:
    """Return the id of a document."""
    return sha256(text.encode()).hexdigest()
