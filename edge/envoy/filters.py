"""The way of a request through a listener, in order; the order is the architecture.

guard → answers → compression → origins, networks, faults → limits → token → claims → control → caller → body →
limits by caller → deadline → router. On the way back the same backwards, so ``guard`` sees every answer last. Owns the
filters and their per-route parts.
"""

import json
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, Final

from edge.assembly import Edge, OwnedRoute
from edge.envoy import answers, identity, limit_headers, limits, lua
from edge.envoy.access import access_filters, access_per_route
from edge.envoy.compression import compression_filters, uncompressed
from edge.envoy.control import CONTROL, Way, control_filter, control_per_route, is_asked
from edge.envoy.deadline import DEADLINE, route_metadata, when_said
from edge.envoy.limiter import distributed_filter
from edge.envoy.words import Json, milliseconds, seconds, typed
from edge.spec.listeners import ListenerSpec
from edge.spec.policies import IssuerSpec
from edge.spec.routes import RouteSpec
from shared.resilience.priority import Priority

GUARD: Final = "frontage.guard"
ANSWERS: Final = "frontage.answers"
TOKEN: Final = "envoy.filters.http.jwt_authn"  # noqa: S105 - Envoy's name of the filter
CLAIMS: Final = "frontage.claims"
CALLER: Final = "frontage.caller"
BODY: Final = "envoy.filters.http.buffer"
BUFFER: Final = "envoy.extensions.filters.http.buffer.v3.Buffer"

# Pseudo-headers and what Envoy has added before the guard counts.
OWN_HEADERS: Final = 12
# The callers of a busy minute, at about 5 KB each.
REMEMBERED_TOKENS: Final = 4_096
JWKS_TIMEOUT: Final = "2s"  # a key set is a kilobyte; a slower issuer is down for our purposes


def http_filters(edge: Edge, listener: ListenerSpec) -> list[Json]:
    """Return the filters of a listener that serves routes."""
    # Whole before it goes on: a slow sender holds memory here, not a BFF's worker, and 413 comes before any work. And
    # before anybody is asked: while a filter waits, Envoy stops to read at the limit, and the 413 would never come.
    body = [_filter(BODY, typed(BUFFER, max_request_bytes=listener.request.max_body))]
    asks_control = is_asked(edge)
    asks_early = limits.DISTRIBUTED_EARLY in limits.stages(edge) or asks_control
    return [
        *edge_filters(edge, listener),
        *compression_filters(listener.compression),
        *_grpc_web(edge),
        *access_filters(edge),
        *_limits(edge, limits.LOCAL_EARLY),
        *(body if asks_early else []),
        *_limits(edge, limits.DISTRIBUTED_EARLY),
        *_tokens(edge),
        *(_control(edge) if asks_control else []),
        *([] if asks_early else body),
        *_limits(edge, limits.LOCAL_LATE, limits.DISTRIBUTED_LATE, limits.STAND_IN),
        when_said(_lua(DEADLINE, "\n".join([*_ranks(), lua.DEADLINE]))),
        router(),
    ]  # fmt: skip


def _limits(edge: Edge, *stages: int) -> Iterator[Json]:
    """Yield the filters of these stages, as far as some route needs them."""
    used = limits.stages(edge)
    for stage in stages:
        if stage == limits.STAND_IN and used.intersection(limits.ASKING):
            yield _lua(limits.UNJUDGED, limits.UNJUDGED_SOURCE)
        if stage not in used:
            continue
        if stage in limits.ASKING:
            assert edge.spec.limiter is not None  # noqa: S101 - missing_limiter has refused it
            yield _filter(limits.NAMES[stage], distributed_filter(edge.spec.limiter, stage))
        else:
            yield _filter(limits.NAMES[stage], limits.local_filter(edge, stage))


def _tokens(edge: Edge) -> Iterator[Json]:
    """Yield what judges tokens here, where some route wants it."""
    if any(auth.judged_here for auth in edge.spec.policies.auth.values()):
        yield _filter(TOKEN, _token_filter(edge))
        yield _lua(CLAIMS, identity.CLAIMS)


def _control(edge: Edge) -> Iterator[Json]:
    """Yield what judges the credentials that are not judged here, and tells the limits whose they are."""
    assert edge.spec.control is not None  # noqa: S101 - missing_control has refused it
    yield control_filter(edge.spec.control)
    yield _lua(CALLER, identity.CALLER)


def _grpc_web(edge: Edge) -> Iterator[Json]:
    """Yield what lets browsers speak gRPC, where some upstream does."""
    if any(cluster.protocol == "http2" for cluster in edge.spec.clusters.values()):
        yield _filter("envoy.filters.http.grpc_web", typed("envoy.extensions.filters.http.grpc_web.v3.GrpcWeb"))


def edge_filters(edge: Edge, listener: ListenerSpec) -> list[Json]:
    """Return what stands first on every listener, redirecting ones too."""
    # RFC 6797 §7.2: never over plain HTTP
    hsts = listener.hsts if listener.tls is not None else None
    mutations = {"response_mutations": answers.every_answer(hsts)}
    return [
        _lua(GUARD, "\n".join([*_constants(edge, listener), limit_headers.SOURCE, lua.GUARD])),
        _filter(ANSWERS, typed("envoy.extensions.filters.http.header_mutation.v3.HeaderMutation", mutations=mutations)),
    ]


def _constants(edge: Edge, listener: ListenerSpec) -> list[str]:
    """Return what the guard needs to know, as the first lines of its source."""
    return [
        f"local TRACER = {'true' if edge.spec.telemetry.traces else 'false'}",
        f"local RATIO = {edge.spec.telemetry.ratio!r}",
        f"local MAX_HEADER_COUNT = {listener.request.max_header_count + OWN_HEADERS}",
        f"local MAX_HEADER_BYTES = {listener.request.max_headers}",
    ]


def _ranks() -> list[str]:
    """Return what the deadline filter needs to know of priorities, both ways."""
    ranks = ", ".join(f"{one.name.lower()} = {one.value}" for one in Priority)
    names = ", ".join(f'[{one.value}] = "{one.name.lower()}"' for one in Priority)
    return [f"local RANKS = {{{ranks}}}", f"local NAMES = {{{names}}}"]


def router() -> Json:
    """Return the last filter. Its own headers and its own spans would tell clients about our insides."""
    config = typed("envoy.extensions.filters.http.router.v3.Router", suppress_envoy_headers=True)
    return _filter("envoy.filters.http.router", config)


def per_route(edge: Edge, route: OwnedRoute, way: Way) -> tuple[Json, Json]:
    """Return a route's own part of the filters, and the metadata that the Lua filters read."""
    spec = route.spec
    metadata: Json = route_metadata(spec)
    if choices := limits.route_choices(edge, route):
        metadata[limits.UNJUDGED] = choices
    if names := limits.route_limits(edge, route):
        metadata[limits.LIMITS] = names
    guarded = limit_headers.route_buckets(edge, route) | ({"credential": True} if way.here or way.asked else {})
    if guarded:
        metadata[GUARD] = guarded
    config: Json = {
        **limits.distributed_rate_limits(edge, route), **access_per_route(edge, route), **_bodies_per_route(edge, spec),
    }  # fmt: skip
    auth = edge.auth(route)
    if way.here and auth is not None:
        per = typed("envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig", requirement_name=route.spec.auth)
        config[TOKEN] = per
        issuers = {name: _issuer_rules(edge.spec.policies.issuers[name]) for name in auth.issuers}
        claims = {name: dict.fromkeys(values, True) for name, values in auth.claims.items()}
        rules = {"scopes": list(auth.scopes), "claims": claims, "issuers": issuers, "plain": auth.mode == "edge"}
        metadata[CLAIMS] = {**rules, "rules": blake2b(json.dumps(rules).encode(), digest_size=8).hexdigest()}
    if way.asked:
        config[CONTROL] = control_per_route(edge, route)
        metadata[CALLER] = {"asked": True}
    return config, metadata


def _bodies_per_route(edge: Edge, spec: RouteSpec) -> Json:
    config: Json = {}
    if not spec.compression:
        for listener in edge.serving().values():
            config |= uncompressed(listener.compression)
    if spec.streaming or spec.websocket:
        config[BODY] = typed(f"{BUFFER}PerRoute", disabled=True)
    elif spec.max_body is not None:
        config[BODY] = typed(f"{BUFFER}PerRoute", buffer={"max_request_bytes": spec.max_body})
    return config


def _issuer_rules(issuer: IssuerSpec) -> Json:
    algorithms = dict.fromkeys(sorted(issuer.algorithms), True)
    skew = issuer.clock_skew.total_seconds()
    return {"algorithms": algorithms, "token_type": issuer.token_type, "skew": skew}


def _token_filter(edge: Edge) -> Json:
    requirements: Json = {}
    providers: Json = {}
    for name, auth in edge.spec.policies.auth.items():
        if not auth.judged_here:
            continue
        remembered = auth.mode == "verify"
        wanted: list[Json] = []
        for issuer in auth.issuers:
            provider = f"{issuer}.remembered" if remembered else issuer
            providers[provider] = _provider(issuer, edge.spec.policies.issuers[issuer], remembered=remembered)
            wanted.append({"provider_name": provider})
        requirements[name] = wanted[0] if len(wanted) == 1 else {"requires_any": {"requirements": wanted}}
    return typed(
        "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        providers=providers,
        requirement_map=requirements,
        strip_failure_response=True,  # it would echo the host, and challenge even when the keys are what is missing
    )


def _provider(name: str, issuer: IssuerSpec, *, remembered: bool) -> Json:
    """Return an issuer's provider. A remembered token outlives its key: only for a route whose BFF judges again."""
    uri = {"uri": issuer.jwks, "cluster": jwks_cluster(name), "timeout": JWKS_TIMEOUT}
    return {
        "issuer": issuer.issuer,
        "audiences": [issuer.audience],
        "require_expiration": True,
        "clock_skew_seconds": milliseconds(issuer.clock_skew) // 1000,
        # Without from_headers Envoy would take a token from the query too.
        "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
        # A signature is more work than all the rest of a request here.
        **({"jwt_cache_config": {"jwt_cache_size": REMEMBERED_TOKENS}} if remembered else {}),
        "forward": True,  # mode verify: the BFF judges it again
        "header_in_metadata": f"{name}.header",
        "payload_in_metadata": f"{name}.claims",
        "remote_jwks": {
            "http_uri": uri,
            "cache_duration": seconds(issuer.refresh),
            # In the background: no request waits for keys; after a failure once a second until they are there.
            "async_fetch": {"failed_refetch_duration": "1s"},
            "retry_policy": {"num_retries": 1},
        },
    }


def jwks_cluster(issuer: str) -> str:
    """Return the name of the cluster that an issuer's keys come from; the dot keeps it apart from people's names."""
    return f"frontage.jwks.{issuer}"


def _filter(name: str, config: Json) -> Json:
    return {"name": name, "typed_config": config}


def _lua(name: str, source: str) -> Json:
    config: dict[str, Any] = {"default_source_code": {"inline_string": source}}
    return _filter(name, typed("envoy.extensions.filters.http.lua.v3.Lua", **config))
