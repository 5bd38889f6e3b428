"""Limits in Envoy: which filters count, by what, and what follows when nobody could.

Owns the order of judgement. A limit that needs no identity is judged before the token is looked at, so that a flood of
bad tokens is limited too; all distributed limits of one route are judged in one call. Each request passes through

    local → distributed → (token, claims) → local by caller → distributed by caller → unjudged → stand-in

and each filter takes the rate limits of its own stage. ``unjudged`` decides by each limit's ``on_store_failure`` what
happens with those that the limiter could not judge, for want of a store or because it is away itself.
"""

from collections.abc import Iterator
from typing import Final

from edge.assembly import Edge, OwnedRoute
from edge.envoy.words import Json, cidr, seconds, typed
from edge.spec.limits import ADDRESS_PART, HEADER_PART, LimitSpec
from shared.limits.policy import POLICY_KEY, Algorithm, LimitPolicy

UNJUDGED: Final = "frontage.unjudged"
# Which limits a route has, in its metadata. Envoy says that local limits on routes will be ignored one day; and limits
# in a route's own configuration of the filter would be counted for each route apart.
LIMITS: Final = "frontage.limits"
# Where the one who authenticates leaves who calls: subject and client, as words.
IDENTITY: Final = "frontage.identity"

# The filters by name, and what Envoy calls stages: which of a route's rate limits each takes.
LOCAL_EARLY, LOCAL_LATE, DISTRIBUTED_EARLY, DISTRIBUTED_LATE, STAND_IN = range(5)
NAMES: Final = {
    LOCAL_EARLY: "frontage.limits.local", LOCAL_LATE: "frontage.limits.local.caller",
    DISTRIBUTED_EARLY: "frontage.limits.distributed", DISTRIBUTED_LATE: "frontage.limits.distributed.caller",
    STAND_IN: "frontage.limits.stand-in",
}  # fmt: skip
ASKING: Final = (DISTRIBUTED_EARLY, DISTRIBUTED_LATE)
COUNTING: Final = (LOCAL_EARLY, LOCAL_LATE, STAND_IN)

# Counters remembered at once, about 200 bytes each; the least recently seen goes first.
MAX_COUNTERS: Final = 20_000
# Part of a key: longer ones that begin alike share a counter, which is stricter and not looser.
LONGEST_PART: Final = 256
# For a part that a request does not have. No header, path or subject is just this.
ABSENT: Final = "-"
# A formatter in a descriptor's value; without it Envoy would send the format itself.
RUNTIME: Final = {"envoy.reloadable_features.enable_formatter_for_ratelimit_action_descriptor_value": True}
FORMATS: Final = {
    "subject": f"%DYNAMIC_METADATA({IDENTITY}:subject)%",
    "client": f"%DYNAMIC_METADATA({IDENTITY}:client)%",
    "path": f"%PATH(NQ:PATH):{LONGEST_PART}%",
    "route": "%ROUTE_NAME%",
    "method": "%REQUEST_HEADER(:METHOD):16%",
}

Named = tuple[str, LimitSpec]

# Sees which limits of the route were not judged, and applies the choice that each made for this case.
UNJUDGED_SOURCE: Final = r"""
local function has(names, wanted)
  for _, name in pairs(names) do
    if name == wanted then return true end
  end
  return false
end

function envoy_on_request(handle)
  local choices = handle:metadata():get("choices")
  if choices == nil then return end
  local metadata = handle:streamInfo():dynamicMetadata()
  local said = metadata:get("envoy.filters.http.ratelimit")
  local unjudged = said ~= nil and said.unjudged or nil
  for name, choice in pairs(choices) do
    if unjudged == nil or has(unjudged, name) then
      if choice == "closed" then
        return handle:respond({[":status"] = "503", ["x-frontage-own"] = "limiter"}, "")
      elseif choice == "local" then
        metadata:set("frontage.unjudged", name, "yes")
      end
    end
  end
end
"""


def stages(edge: Edge) -> set[int]:
    """Return the stages that some route needs; the others' filters are left out."""
    used = {stage for route in edge.routes() for stage, _ in _asked(edge, route)}
    for route in edge.routes():
        for limit in edge.route_limits(route).values():
            used.update(stage for stage in COUNTING if _counted_at(limit, stage))
    return used


def local_filter(edge: Edge, stage: int) -> Json:
    """Return a filter that counts in this process: one token bucket per limit and key, whichever route it came by."""
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    counted = {name: limit for name, limit in edge.limits().items() if _counted_at(limit, stage)}
    return typed(
        "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        stat_prefix="limits",
        stage=stage,
        filter_enabled=always,
        filter_enforced=always,
        # Asked for by Envoy beside the descriptors, for routes without a limit; nobody reaches it.
        token_bucket={"max_tokens": 4_000_000_000, "tokens_per_fill": 4_000_000_000, "fill_interval": "1s"},
        always_consume_default_token_bucket=False,
        max_dynamic_descriptors=MAX_COUNTERS,
        enable_retry_after_header=True,
        enable_x_ratelimit_headers="DRAFT_VERSION_03",
        descriptors=[_bucket(name, limit, stage) for name, limit in counted.items()],
        rate_limits=[{"actions": _local_actions(name, limit, stage)} for name, limit in counted.items()],
    )


def route_limits(edge: Edge, route: OwnedRoute) -> Json:
    """Return the names of a route's limits, as the local filters look for them in its metadata."""
    return {name: name for name in edge.route_limits(route)}


def distributed_rate_limits(edge: Edge, route: OwnedRoute) -> Json:
    """Return what a route asks of the distributed filter, as its own configuration: only there, Envoy takes a cost."""
    asked = list(_asked(edge, route))
    if not asked:
        return {}
    per_route = "envoy.extensions.filters.http.ratelimit.v3.RateLimitPerRoute"
    return {NAMES[asked[0][0]]: typed(per_route, rate_limits=[one for _, one in asked])}


def route_choices(edge: Edge, route: OwnedRoute) -> Json:
    """Return the choices of a route's distributed limits, as ``unjudged`` reads them; empty when it has none."""
    choices = {name: one.on_store_failure for name, one in edge.route_limits(route).items() if _asks(one)}
    return {"choices": choices} if choices else {}


def limits_in_order(edge: Edge, route: OwnedRoute) -> tuple[list[Named], list[Named]]:
    """Return a route's limits as they are judged: before its token is looked at, and after."""
    limits = edge.route_limits(route)
    late = any(one.distributed and one.needs_identity for one in limits.values())  # one call for all of a route's
    early_ones: list[Named] = []
    late_ones: list[Named] = []
    for name, limit in sorted(limits.items(), key=lambda one: one[1].distributed):
        (late_ones if limit.needs_identity or (limit.distributed and late) else early_ones).append((name, limit))
    return early_ones, late_ones


def _asks(limit: LimitSpec) -> bool:
    """Whether the outcome of asking matters: a shadow limit refuses nobody, also when it is not judged."""
    return limit.distributed and not limit.shadow


def _asked(edge: Edge, route: OwnedRoute) -> Iterator[tuple[int, Json]]:
    """Yield what a route asks of the limiter, and in which filter."""
    early, late = limits_in_order(edge, route)
    for name, limit in (*early, *late):
        if limit.distributed:
            policy = {"descriptor_key": POLICY_KEY, "descriptor_value": str(policy_of(name, limit))}
            asked: Json = {"actions": [{"generic_key": policy}, *_key(limit)]}
            if route.spec.cost > 1:
                asked["hits_addend"] = {"number": route.spec.cost}
            yield DISTRIBUTED_LATE if (name, limit) in late else DISTRIBUTED_EARLY, asked


def _local_actions(name: str, limit: LimitSpec, stage: int) -> list[Json]:
    """Return what makes a request count in this process: nothing, where its route does not name the limit."""
    named = {"metadata_key": {"key": LIMITS, "path": [{"key": name}]}, "source": "ROUTE_ENTRY"}
    actions: list[Json] = [{"metadata": {**named, "descriptor_key": POLICY_KEY}}, *_key(limit)]
    if stage == STAND_IN:
        unjudged = {"metadata_key": {"key": UNJUDGED, "path": [{"key": name}]}, "descriptor_key": "unjudged"}
        actions.append({"metadata": unjudged})
    return actions


def _counted_at(limit: LimitSpec, stage: int) -> bool:
    if limit.distributed:
        return stage == STAND_IN and limit.on_store_failure == "local" and _asks(limit)
    return stage == _local_stage(limit)


def _local_stage(limit: LimitSpec) -> int:
    return LOCAL_LATE if limit.needs_identity else LOCAL_EARLY


def _key(limit: LimitSpec) -> Iterator[Json]:
    """Yield whom it counts: nobody on its allow list, everybody else by each part of its key."""
    if limit.allow:
        matcher = {"ranges": [cidr(one) for one in limit.allow], "invert_match": True}
        yield {
            "remote_address_match": {"descriptor_key": "allow", "descriptor_value": "no", "address_matcher": matcher}
        }
    for part in limit.key:
        yield _part(part, limit)


def _part(part: str, limit: LimitSpec) -> Json:
    if part == ADDRESS_PART:
        return {"masked_remote_address": {"v4_prefix_mask_len": 32, "v6_prefix_mask_len": limit.ipv6_prefix}}
    header = part.removeprefix(HEADER_PART)
    value = FORMATS.get(part, f"%REQUEST_HEADER({header}):{LONGEST_PART}%")
    # A descriptor whose part is missing would not be sent at all, and the request not be limited.
    return {"generic_key": {"descriptor_key": part, "descriptor_value": value, "default_value": ABSENT}}


def policy_of(name: str, limit: LimitSpec) -> LimitPolicy:
    """Return what the limiter is told of a limit."""
    return LimitPolicy(
        name=name, algorithm=Algorithm(limit.counts_as), limit=limit.limit, window=limit.window,
        segments=(limit.segments or DEFAULT_SEGMENTS) if limit.counts_as == "sliding_window" else 1,
        shadow=limit.shadow,
    )  # fmt: skip


# The seed's number: a unit is held at most a sixth of the window too long, and a counter has at most eight entries.
DEFAULT_SEGMENTS: Final = 6


def _bucket(name: str, limit: LimitSpec, stage: int) -> Json:
    bucket = {"max_tokens": limit.limit, "tokens_per_fill": limit.limit, "fill_interval": seconds(limit.window)}
    entries: list[Json] = [{"key": POLICY_KEY, "value": name}]
    if limit.allow:
        entries.append({"key": "allow", "value": "no"})
    # An entry without a value stands for any: each gets a bucket of its own.
    entries += [{"key": "masked_remote_address" if part == ADDRESS_PART else part} for part in limit.key]
    if stage == STAND_IN:
        entries.append({"key": "unjudged", "value": "yes"})
    return {"entries": entries, "token_bucket": bucket, **({"shadow_mode": True} if limit.shadow else {})}
