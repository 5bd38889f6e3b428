"""Origins, networks and faults in Envoy's words: the filters, and each route's own part of them."""

from collections.abc import Iterator
from typing import Final

from edge.assembly import Edge, OwnedRoute
from edge.envoy.words import Json, cidr, seconds, typed
from edge.spec.access import CorsSpec, FaultSpec, NetworksSpec

CORS: Final = "envoy.filters.http.cors"
NETWORKS: Final = "envoy.filters.http.rbac"
FAULT: Final = "envoy.filters.http.fault"
RBAC: Final = "envoy.extensions.filters.http.rbac.v3"
MILLION: Final = 1_000_000

# One writer (field case E6): what an upstream says of origins is dropped where the edge says it.
CORS_HEADERS: Final = (
    "access-control-allow-origin", "access-control-allow-credentials", "access-control-expose-headers",
    "access-control-allow-methods", "access-control-allow-headers", "access-control-max-age",
)  # fmt: skip


def access_filters(edge: Edge) -> Iterator[Json]:
    """Yield the filters, as far as some route needs them. A preflight is answered before anybody asks for a token."""
    routes = [route.spec for route in edge.routes()]
    if edge.spec.policies.cors:
        yield {"name": CORS, "typed_config": typed("envoy.extensions.filters.http.cors.v3.Cors")}
    if any(route.networks for route in routes):
        yield {"name": NETWORKS, "typed_config": typed(f"{RBAC}.RBAC")}
    if any(route.fault for route in routes):
        yield {"name": FAULT, "typed_config": typed("envoy.extensions.filters.http.fault.v3.HTTPFault")}


def access_per_route(edge: Edge, route: OwnedRoute) -> Json:
    """Return a route's own part of the filters."""
    made: Json = {}
    if route.spec.cors is not None:
        made[CORS] = _cors(edge.spec.policies.cors[route.spec.cors])
    if route.spec.networks is not None:
        made[NETWORKS] = typed(f"{RBAC}.RBACPerRoute", rbac={"rules": _rules(route.spec.networks)})
    if route.spec.fault is not None:
        made[FAULT] = _fault(route.spec.fault)
    return made


def cors_response(edge: Edge, route: OwnedRoute) -> Json:
    """Return what a route with CORS does to its upstream's answers."""
    if route.spec.cors is None:
        return {}
    made: Json = {"response_headers_to_remove": list(CORS_HEADERS)}
    if "*" not in edge.spec.policies.cors[route.spec.cors].origins:  # caches must keep the origins' answers apart
        vary = {"header": {"key": "vary", "value": "Origin"}, "append_action": "APPEND_IF_EXISTS_OR_ADD"}
        made["response_headers_to_add"] = [vary]
    return made


def _cors(cors: CorsSpec) -> Json:
    origins = [{"safe_regex": {"regex": ".*"}} if one == "*" else {"exact": one} for one in cors.origins]
    return typed(
        "envoy.extensions.filters.http.cors.v3.CorsPolicy",
        allow_origin_string_match=origins,
        allow_methods=", ".join(cors.methods),
        allow_headers=", ".join(cors.headers),
        expose_headers=", ".join(cors.expose),
        max_age=seconds(cors.max_age).rstrip("s"),
        allow_credentials=cors.credentials,
        forward_not_matching_preflights=False,
    )


def _rules(networks: NetworksSpec) -> Json:
    denied = [{"remote_ip": cidr(one)} for one in networks.deny]
    allowed: Json = {"or_ids": {"ids": [{"remote_ip": cidr(one)} for one in networks.allow]}}
    wanted: list[Json] = [allowed] if networks.allow else [{"any": True}]
    if denied:
        wanted.append({"not_id": {"or_ids": {"ids": denied}}})
    policy = {"permissions": [{"any": True}], "principals": [{"and_ids": {"ids": wanted}}]}
    return {"action": "ALLOW", "policies": {"networks": policy}}


def _fault(fault: FaultSpec) -> Json:
    share = {"numerator": round(fault.percent / 100 * MILLION), "denominator": "MILLION"}
    made = typed("envoy.extensions.filters.http.fault.v3.HTTPFault")
    if fault.delay is not None:
        made["delay"] = {"fixed_delay": seconds(fault.delay), "percentage": share}
    if fault.status is not None:
        made["abort"] = {"http_status": fault.status, "percentage": share}
    if fault.header is not None:
        made["headers"] = [{"name": fault.header, "present_match": True}]
    return made
