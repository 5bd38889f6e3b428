"""What a route does with a request: hand it on, send it elsewhere, answer it; and what it changes on the way."""

from typing import Any, Final

from edge.assembly import Edge, OwnedRoute
from edge.envoy.access import cors_response
from edge.envoy.deadline import route_default
from edge.envoy.words import Json, seconds, set_header
from edge.paths import PathTemplate, parse_path, path_of
from edge.spec.actions import HeaderEditSpec, RedirectSpec, RespondSpec, RetrySpec
from edge.spec.clusters import HashSpec
from edge.spec.routes import RouteSpec

STATUS_NAMES: Final = {
    301: "MOVED_PERMANENTLY", 302: "FOUND", 303: "SEE_OTHER", 307: "TEMPORARY_REDIRECT", 308: "PERMANENT_REDIRECT",
}  # fmt: skip
# "unreachable" is what Envoy can prove to be unread.
RETRY_ON: Final = {"unreachable": ("connect-failure", "refused-stream"), "unavailable": ("retriable-status-codes",)}
UNAVAILABLE: Final = 503
MILLION: Final = 1_000_000
CALLERS_SECRETS: Final = (
    "authorization", "x-api-key", "cookie", "x-internal-token", "x-auth-sub", "x-auth-client", "x-auth-scope",
    "x-auth-method", "x-auth-exp",
)  # fmt: skip
# As long as a browser is open; it says nothing about who somebody is.
STICKY_COOKIE_TTL: Final = "0s"


def compile_action(edge: Edge, route: OwnedRoute) -> Json:
    """Return the action and the header changes of a route."""
    action = _action(edge, route)
    response = _edits(route.spec.headers.response, "response")
    for more in (cors_response(edge, route), {"response_headers_to_add": action.pop("response_headers_to_add", [])}):
        for key, values in more.items():
            response[key] = [*response.get(key, []), *values]
    request = _edits(route.spec.headers.request, "request")
    if default := route_default(route.spec):
        request["request_headers_to_add"] = [*request.get("request_headers_to_add", []), *default]
    return {**action, **request, **response}


def _action(edge: Edge, route: OwnedRoute) -> Json:
    spec = route.spec
    if (closed := edge.maintenance(route)) is not None:
        wait = set_header("retry-after", seconds(closed.retry_after).rstrip("s"))
        return {"direct_response": {"status": UNAVAILABLE}, "response_headers_to_add": [wait]}
    if spec.redirect is not None:
        return {"redirect": _redirect(spec, spec.redirect)}
    if spec.respond is not None:
        return _respond(spec.respond)
    return {"route": _hand_on(edge, route)}


def _hand_on(edge: Edge, route: OwnedRoute) -> Json:
    spec = route.spec
    made: Json = {
        # The deadline filter may shorten it. Without an end there is none, but for silence.
        "timeout": seconds(spec.timeout) if not spec.streaming else "0s",
        # No retry_policy of its own accord: a BFF retries its backends inside the deadline; a second retry above it
        # would multiply.
    }
    if spec.cluster is not None and not _withheld(edge, spec.cluster):
        made["cluster"] = spec.cluster
    else:
        shares = spec.split or {str(spec.cluster): 1}
        made["weighted_clusters"] = {
            "clusters": [{"name": name, "weight": weight, **_withheld(edge, name)} for name, weight in shares.items()]
        }
    if spec.streaming or spec.websocket:
        made["idle_timeout"] = seconds(spec.timeout)
    if spec.websocket:
        made["upgrade_configs"] = [{"upgrade_type": "websocket", "enabled": True}]
        made["timeout"] = "0s"
    if spec.rewrite is not None and isinstance(taken := path_of(spec.match), PathTemplate):
        made["regex_rewrite"] = taken.envoy_rewrite(parse_path(spec.rewrite))
    if spec.mirror is not None:
        share = {"numerator": round(spec.mirror.percent / 100 * MILLION), "denominator": "MILLION"}
        removed = _withheld(edge, spec.mirror.cluster).get("request_headers_to_remove", [])
        mutations = {"request_headers_mutations": [{"remove": name} for name in removed]} if removed else {}
        made["request_mirror_policies"] = [
            {"cluster": spec.mirror.cluster, "runtime_fraction": {"default_value": share}, **mutations}
        ]
    if spec.retry is not None:
        made["retry_policy"] = _retry(spec.retry)
    keys = [edge.spec.clusters[name].hash for name in spec.clusters()]
    if policies := [_hash_policy(key) for key in keys if key is not None][:1]:
        made["hash_policy"] = policies
    return made


def _withheld(edge: Edge, cluster: str) -> Json:
    """Return what a cluster of somebody else's does not get: credentials, and what is known of the caller (A4)."""
    if edge.spec.clusters[cluster].credentials == "forwarded":
        return {}
    return {"request_headers_to_remove": list(CALLERS_SECRETS)}


def _redirect(spec: RouteSpec, redirect: RedirectSpec) -> Json:
    made: dict[str, Any] = {"response_code": STATUS_NAMES[redirect.status], "strip_query": not redirect.keep_query}
    if redirect.host is not None:
        made["host_redirect"] = redirect.host
    if redirect.path is not None:
        made["path_redirect"] = redirect.path
    if redirect.prefix is not None and isinstance(taken := path_of(spec.match), PathTemplate):
        to = PathTemplate(tuple(one for one in redirect.prefix.split("/") if one), rest=True, names=taken.names)
        made["regex_rewrite"] = taken.envoy_rewrite(to)
    return made


def _respond(respond: RespondSpec) -> Json:
    made: Json = {"direct_response": {"status": respond.status}}
    if respond.body:
        made["direct_response"]["body"] = {"inline_string": respond.body}
        made["response_headers_to_add"] = [set_header("content-type", respond.content_type)]
    return made


def _retry(retry: RetrySpec) -> Json:
    return {
        "retry_on": ",".join(word for reason in retry.on for word in RETRY_ON[reason]),
        "num_retries": retry.attempts,
        "retriable_status_codes": [UNAVAILABLE],
        "retry_host_predicate": [{"name": "envoy.retry_host_predicates.previous_hosts", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"}}],
        "host_selection_retry_max_attempts": 3,
    }  # fmt: skip


def _hash_policy(key: HashSpec) -> Json:
    if key.header is not None:
        return {"header": {"header_name": key.header}}
    if key.cookie is not None:
        attributes = [{"name": "SameSite", "value": "Lax"}, {"name": "HttpOnly"}, {"name": "Secure"}]
        return {"cookie": {"name": key.cookie, "ttl": STICKY_COOKIE_TTL, "path": "/", "attributes": attributes}}
    return {"connection_properties": {"source_ip": True}}


def _edits(edit: HeaderEditSpec, way: str) -> Json:
    made: Json = {}
    added = [
        *(set_header(name, _literal(value)) for name, value in edit.set.items()),
        *({"header": {"key": name, "value": _literal(value)}, "append_action": "APPEND_IF_EXISTS_OR_ADD"}
          for name, value in edit.add.items()),
    ]  # fmt: skip
    if added:
        made[f"{way}_headers_to_add"] = added
    if edit.remove:
        made[f"{way}_headers_to_remove"] = list(edit.remove)
    return made


def _literal(value: str) -> str:
    """A value as written: Envoy would read % as the begin of a variable."""
    return value.replace("%", "%%")
