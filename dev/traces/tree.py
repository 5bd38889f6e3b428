"""From Jaeger's flat list of spans to a tree in drawing order, clocks aligned.

Pure. Owns parents that are missing, loops that should not be, and clocks that disagree; what a span means is
``waterfall.py``'s.
"""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True, eq=False)
class Node:
    """One span on its way to a row. ``start_us`` is moved when its clock is wrong, by ``skew_us``."""

    span_id: str
    parent_id: str
    service: str
    name: str
    start_us: int
    duration_us: int
    tags: dict[str, Any]
    span: Json
    process_tags: list[Json]
    depth: int = 0
    skew_us: int = 0
    parent: "Node | None" = None
    children: list["Node"] = field(default_factory=list)

    @property
    def end_us(self) -> int:
        """When it ended."""
        return self.start_us + self.duration_us

    @property
    def orphan(self) -> bool:
        """It names a parent that is not here: late, dropped, or sent elsewhere."""
        return bool(self.parent_id) and self.parent is None


def tree(trace: Json) -> list[Node]:
    """Return every span once, parents before children, siblings by start."""
    nodes: dict[str, Node] = {}
    for span in trace.get("spans") or ():
        node = _node(span, trace.get("processes") or {})
        nodes.setdefault(node.span_id, node)
    for node in nodes.values():
        node.parent = nodes.get(node.parent_id)
    _open_loops(nodes)
    for node in nodes.values():
        if node.parent is not None:
            node.parent.children.append(node)
    return _walk([node for node in nodes.values() if node.parent is None])


def _node(span: Json, processes: Json) -> Node:
    process = processes.get(span.get("processID", ""), {})
    references = [one for one in span.get("references") or () if one.get("traceID") == span.get("traceID")]
    references.sort(key=lambda one: one.get("refType") != "CHILD_OF")  # stable: CHILD_OF first
    return Node(
        span_id=span["spanID"],
        parent_id=references[0]["spanID"] if references else "",
        service=process.get("serviceName", "unknown"),
        name=span.get("operationName", ""),
        start_us=int(span.get("startTime", 0)),
        duration_us=max(0, int(span.get("duration", 0))),
        tags={one["key"]: one.get("value") for one in span.get("tags") or ()},
        span=span,
        process_tags=process.get("tags") or [],
    )


def _open_loops(nodes: dict[str, Node]) -> None:
    """Cut every loop of parents at one place, so that all of its spans are still drawn."""
    safe: set[str] = set()
    for node in nodes.values():
        path: dict[str, Node] = {}
        step: Node | None = node
        while step is not None and step.span_id not in safe:
            path[step.span_id] = step
            if step.parent is not None and step.parent.span_id in path:
                step.parent = None
            step = step.parent
        safe.update(path)


def _walk(roots: list[Node]) -> list[Node]:
    """Depth first, without recursion: a chain of spans may be deeper than Python's stack."""
    ordered: list[Node] = []
    stack = sorted(roots, key=_by_start, reverse=True)
    while stack:
        node = stack.pop()
        if node.parent is not None:
            node.depth = node.parent.depth + 1
            _align(node, node.parent)
        ordered.append(node)
        stack.extend(sorted(node.children, key=_by_start, reverse=True))
    return ordered


def _by_start(node: Node) -> tuple[int, str]:
    return node.start_us, node.span_id


def _align(node: Node, parent: Node) -> None:
    """Move a span of another service that starts before its cause: its clock is wrong, and its children's with it.

    Where it fits into its parent it is put in the middle (the way there and the way back then take equally long).
    """
    if node.service == parent.service:
        node.skew_us = parent.skew_us
        node.start_us += parent.skew_us
    elif node.start_us < parent.start_us:
        moved = parent.start_us + max(0, parent.duration_us - node.duration_us) // 2
        node.skew_us = moved - node.start_us
        node.start_us = moved
