"""One match in Envoy's words: path, method, header, cookie, query."""

from collections.abc import Iterable
from typing import Any

from edge.envoy.words import Json
from edge.paths import path_of
from edge.spec.routes import MatchSpec, ValueMatchSpec


def compile_match(match: MatchSpec, more: Iterable[Json] = ()) -> Json:
    """Return Envoy's route match; ``more`` are conditions on headers beside the route's own."""
    compiled: dict[str, Any] = {**path_of(match).envoy_match()}
    headers = [{"name": name, **_value(one)} for name, one in match.headers.items()]
    if methods := methods_of(match):
        headers.insert(0, {"name": ":method", "string_match": {"safe_regex": {"regex": "|".join(methods)}}})
    for key, named in (("query_parameters", match.query), ("cookies", match.cookies)):
        if named:
            compiled[key] = [{"name": name, **_value(one, cookie=key == "cookies")} for name, one in named.items()]
    headers += more
    if headers:
        compiled["headers"] = headers
    return compiled


def methods_of(match: MatchSpec) -> list[str]:
    """HEAD is GET without a body (RFC 9110 §9.3.2): who takes one takes the other."""
    return sorted({*match.methods, *(["HEAD"] if "GET" in match.methods else [])})


def _value(wanted: ValueMatchSpec, *, cookie: bool = False) -> Json:
    if wanted.exact is not None:
        return {"string_match": {"exact": wanted.exact}}
    if wanted.contains is not None:
        return {"string_match": {"contains": wanted.contains}}
    if wanted.regex is not None:
        return {"string_match": {"safe_regex": {"regex": wanted.regex}}}
    present = wanted.present is not False
    if cookie:  # Envoy knows no presence of cookies: any text, or the opposite of it
        return {"string_match": {"safe_regex": {"regex": ".*"}}, "invert_match": not present}
    return {"present_match": present}
