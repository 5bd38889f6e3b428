"""The control service as Envoy sees it: which requests are judged there, and how it is asked.

Owns the division (identity.md §3.1). A JWT is judged in Envoy and never leaves it, but for mode ``internal``, whose
signed token Envoy cannot make. Everything else goes to the control service. A route that takes both is two in Envoy's
table: one for requests with a JWT and nothing beside it, one for all others.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from edge.assembly import Edge, OwnedRoute
from edge.control.policy import POLICY_KEY, IssuerPolicy, RoutePolicy
from edge.envoy.limiter import asked, beside
from edge.envoy.words import Json, seconds, typed
from edge.spec.policies import AuthSpec, ControlSpec
from shared.identity.credential import API_KEY_HEADER, CredentialKind

CONTROL_CLUSTER: Final = "frontage.control"
CONTROL: Final = "frontage.control"
AUTHORITY: Final = "control"
EXT_AUTHZ: Final = "envoy.extensions.filters.http.ext_authz.v3"
# For a connection and for a check of its health.
PATIENCE: Final = "0.5s"
# All that it needs to know of a request; no cookie, no path, no body.
SHOWN_HEADERS: Final = ("authorization", API_KEY_HEADER)
JWT_SHAPED: Final = r"(?i:bearer) +[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+ *"


class Way(NamedTuple):
    """One of a route's entries in Envoy's table: for which requests, and who judges them."""

    headers: tuple[Json, ...]
    here: bool
    asked: bool


def ways(edge: Edge, route: OwnedRoute) -> Iterator[Way]:
    """Yield a route's entries, the more specific first."""
    auth = edge.auth(route)
    if auth is None:
        yield Way((), here=False, asked=False)
        return
    if auth.judged_here:
        both = auth.asks_control
        only_jwt: tuple[Json, ...] = (
            {"name": "authorization", "string_match": {"safe_regex": {"regex": JWT_SHAPED}}},
            {"name": API_KEY_HEADER, "present_match": True, "invert_match": True},
        )
        yield Way(only_jwt if both else (), here=True, asked=False)
    if auth.asks_control:
        yield Way((), here=False, asked=True)


def is_asked(edge: Edge) -> bool:
    """Whether some route asks the control service."""
    return any(auth.asks_control for route in edge.routes() if (auth := edge.auth(route)) is not None)


def control_filter(control: ControlSpec) -> Json:
    """Return the filter, which only acts on routes that name it. Without an answer nobody passes: 503."""
    exact = [{"exact": name} for name in SHOWN_HEADERS]
    config = typed(
        f"{EXT_AUTHZ}.ExtAuthz",
        transport_api_version="V3",
        grpc_service={**asked(CONTROL_CLUSTER, AUTHORITY), "timeout": seconds(control.timeout)},
        failure_mode_allow=False,
        status_on_error={"code": 503},
        validate_mutations=True,
        allowed_headers={"patterns": exact},
        stat_prefix="control",
    )
    return {"name": CONTROL, "typed_config": config, "disabled": True}


def control_per_route(edge: Edge, route: OwnedRoute) -> Json:
    """Return what a question for this route brings along."""
    policy = policy_of(edge, route)
    settings: dict[str, Any] = {"context_extensions": {POLICY_KEY: str(policy)}, "disable_request_body_buffering": True}
    return typed(f"{EXT_AUTHZ}.ExtAuthzPerRoute", check_settings=settings)


def control_cluster(control: ControlSpec) -> Json:
    """Return its cluster: as the limiter's, out at once when it is away, back within half a second."""
    return beside(CONTROL_CLUSTER, AUTHORITY, control.endpoints, PATIENCE)


def policy_of(edge: Edge, route: OwnedRoute) -> RoutePolicy:
    """Return what the control service is told of a route."""
    auth = edge.auth(route)
    assert auth is not None  # noqa: S101 - asked for such a route only
    return RoutePolicy(
        route=route.name,
        audience=next(iter(audiences_of(edge, route)), ""),
        mode=auth.mode,
        accept=frozenset(CredentialKind(kind) for kind in auth.accept),
        scopes=frozenset(auth.scopes),
        claims=tuple(auth.claims.items()),
        issuers=tuple(_issuers(edge, auth)) if auth.mode == "internal" else (),
    )


def audiences_of(edge: Edge, route: OwnedRoute) -> dict[str, None]:
    """Return whom a route leads to, as API keys and internal tokens name it: one, or ``mixed_audience`` refuses it."""
    clusters = edge.spec.clusters
    return dict.fromkeys(clusters[name].audience or name for name in route.spec.clusters() if name in clusters)


def _issuers(edge: Edge, auth: AuthSpec) -> Iterator[IssuerPolicy]:
    for issuer in (edge.spec.policies.issuers[name] for name in auth.issuers):
        yield IssuerPolicy(
            issuer=issuer.issuer, audience=issuer.audience, jwks=issuer.jwks, algorithms=issuer.algorithms,
            token_type=issuer.token_type, clock_skew_s=issuer.clock_skew.total_seconds(),
        )  # fmt: skip
