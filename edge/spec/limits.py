"""How often one may call: limits, what they count by, and the limiter that counts for all edges together."""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from edge.spec.base import Count, Network, Spec
from edge.spec.clusters import EndpointSpec
from edge.units import LIST_OR_LINE, Duration, parse_names

# A request's own parts. What a token says (subject, client) is known only on routes with auth.
ADDRESS_PART = "client_address"
IDENTITY_PARTS = ("subject", "client")
PARTS = (ADDRESS_PART, *IDENTITY_PARTS, "path", "route", "method")
HEADER_PART = "header:"
_HEADER = re.compile(r"header:[a-z][a-z0-9-]{0,63}")


def _known_parts(parts: tuple[str, ...]) -> tuple[str, ...]:
    if not all(part in PARTS or _HEADER.fullmatch(part) for part in parts):
        raise ValueError(f"use {', '.join(PARTS)} or header:NAME, or a list of these")
    if len(set(parts)) < len(parts):
        raise ValueError("name each part once")
    return parts


KeyParts = Annotated[
    tuple[str, ...], BeforeValidator(parse_names), Field(min_length=1), AfterValidator(_known_parts), LIST_OR_LINE
]
Algorithm = Literal["sliding_window", "sliding_log", "token_bucket"]


class LimitSpec(Spec):
    """``limit`` units in any ``window``, for each value of ``key``.

    ``instance``: each edge process counts for itself, in memory, as a token bucket. ``distributed``: all edges count
    together, at the limiter.
    """

    # instance: token_bucket, for Envoy has nothing else. distributed: sliding_window, which never admits more.
    algorithm: Algorithm | None = None
    limit: Count
    window: Duration
    # sliding_window only; a unit is held at most window / segments longer than it had to be. The seed's six.
    segments: Annotated[int, Field(gt=0, le=60)] | None = None
    key: KeyParts = (ADDRESS_PART,)
    # One customer of an IPv6 provider has a /64 at least: any longer prefix is his to choose anew for each call.
    ipv6_prefix: Annotated[int, Field(gt=0, le=128)] = 64
    scope: Literal["instance", "distributed"] = "instance"
    # What to do when nobody can count: let pass, refuse (503), or count in each edge alone. Required for distributed.
    on_store_failure: Literal["open", "closed", "local"] | None = None
    # Counts and is seen in metrics, and refuses nobody: how to find the right number.
    shadow: bool = False
    # Client addresses that this limit does not concern.
    allow: tuple[Network, ...] = ()

    @property
    def distributed(self) -> bool:
        """Whether the limiter counts."""
        return self.scope == "distributed"

    @property
    def counts_as(self) -> Algorithm:
        """The algorithm, where none is named too."""
        return self.algorithm or ("sliding_window" if self.distributed else "token_bucket")

    @property
    def needs_identity(self) -> bool:
        """Whether it can be judged only once it is known who calls."""
        return any(part in IDENTITY_PARTS for part in self.key)


class LimiterSpec(Spec):
    """The service that counts for all edges (``python -m edge.limits``)."""

    endpoints: Annotated[tuple[EndpointSpec, ...], Field(min_length=1)]
    # A check takes a millisecond or two; at fifty times that a limiter is no more. Nobody waits longer for it.
    timeout: Duration = timedelta(milliseconds=100)
