"""Step 3 of a request: how long it may take, and what it is worth, told to who comes next.

Owns the division of work. What a route says stands in its own headers and timeout, which costs nothing; only a request
that says something itself (``x-deadline-ms``, ``x-priority``) goes through Lua, which takes the lesser of both.
"""

from typing import Final

from edge.envoy.words import Json, milliseconds, set_header, typed
from edge.spec.routes import RouteSpec
from shared.resilience.priority import Priority

DEADLINE: Final = "frontage.deadline"
# The BFF answers before Envoy gives up.
RESERVE_MS: Final = 100
SAID: Final = ("x-deadline-ms", "x-priority")
MATCHING: Final = "envoy.extensions.common.matching.v3.ExtensionWithMatcher"
SKIP: Final = "envoy.extensions.filters.common.matcher.action.v3.SkipFilter"


def has_deadline(spec: RouteSpec) -> bool:
    """Whether the whole answer has an end."""
    return bool(spec.clusters()) and not (spec.streaming or spec.websocket)


def route_default(spec: RouteSpec) -> list[Json]:
    """Return the headers of a request that says nothing itself."""
    made = []
    if has_deadline(spec):
        made.append(set_header("x-deadline-ms", str(max(1, milliseconds(spec.timeout) - RESERVE_MS)), keep=True))
    if spec.clusters() and spec.priority.rank is not Priority.USER:  # a BFF takes silence for a person's
        made.append(set_header("x-priority", spec.priority.cap, keep=True))
    return made


def route_metadata(spec: RouteSpec) -> Json:
    """Return what the Lua filter reads of a route."""
    if not spec.clusters():
        return {}
    timeout = {"timeout_ms": milliseconds(spec.timeout)} if has_deadline(spec) else {}
    return {DEADLINE: {"cap": spec.priority.rank.value, **timeout}}


def when_said(inner: Json) -> Json:
    """Return the filter ``inner``, left out where the request says nothing of it."""
    predicates = [
        {"single_predicate": {
            "input": {"name": name, "typed_config": typed(
                "envoy.type.matcher.v3.HttpRequestHeaderMatchInput", header_name=name)},
            "value_match": {"safe_regex": {"google_re2": {}, "regex": "(?s).*"}},
        }}
        for name in SAID
    ]  # fmt: skip
    silent = {"not_matcher": {"or_matcher": {"predicate": predicates}}}
    skip = {"action": {"name": "skip", "typed_config": typed(SKIP)}}
    matcher = {"matcher_list": {"matchers": [{"predicate": silent, "on_match": skip}]}}
    return {"name": inner["name"], "typed_config": typed(MATCHING, extension_config=inner, xds_matcher=matcher)}
