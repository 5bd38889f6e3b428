"""Which requests go where: matches and routes."""

import re
from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from edge.spec.access import FaultSpec, MaintenanceSpec, NetworksSpec
from edge.spec.actions import HeadersSpec, MirrorSpec, PrioritySpec, RedirectSpec, RespondSpec, RetrySpec
from edge.spec.base import ONE_WORD, Count, Name, Names, Spec, Token
from edge.units import LIST_OR_LINE, Duration, Size, parse_names


def _expression(text: str) -> str:
    """Refuse what is no regular expression at all; what RE2 does not know, Envoy says."""
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"write a regular expression (RE2): {error}") from None
    return text


Expression = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_expression)]


class ValueMatchSpec(Spec):
    """What a header, a cookie or a query parameter must hold: a plain word in YAML means ``exact``."""

    model_config = ONE_WORD

    exact: str | None = None
    contains: str | None = None
    # Of the whole value, in RE2.
    regex: Expression | None = None
    # Whether it is there at all; false: it must not be.
    present: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: Any) -> Any:
        return {"exact": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(one is not None for one in (self.exact, self.contains, self.regex, self.present)) > 1:
            raise ValueError("give one of 'exact', 'contains', 'regex' or 'present'")
        return self


class MatchSpec(Spec):
    """Which requests a route takes. All given conditions must hold; the most specific match wins."""

    # A template; or ``regex`` over the whole path, in RE2.
    path: str = ""
    regex: Expression | None = None
    hosts: Names = ()
    methods: Annotated[tuple[Token, ...], BeforeValidator(parse_names), LIST_OR_LINE] = ()
    headers: dict[Token, ValueMatchSpec] = Field(default_factory=dict)
    query: dict[str, ValueMatchSpec] = Field(default_factory=dict)
    cookies: dict[Token, ValueMatchSpec] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_path(self) -> Self:
        if bool(self.path) == (self.regex is not None):
            raise ValueError("give either 'path' or 'regex'")
        return self

    def shown(self) -> str:
        """Return the path part as it is written."""
        return self.path or f"~{self.regex}"


class RouteSpec(Spec):
    """From a match to one action, under named policies."""

    name: Name
    match: MatchSpec
    # Set by ``isolation``, never written.
    isolated: bool = Field(default=False, alias="__isolated__", repr=False)
    # One of these four.
    cluster: str | None = None
    split: dict[Name, Count] = Field(default_factory=dict)
    redirect: RedirectSpec | None = None
    respond: RespondSpec | None = None
    # Required where something is handed on: a default would be a lie for somebody, and the client's deadline is
    # min(this, what it asked for). With ``streaming``, how long nothing may be said.
    timeout: Duration = timedelta(0)
    auth: str | None = None
    limits: Names = ()
    # What one request takes from each distributed limit; an instance limit counts requests.
    cost: Count = 1
    cors: str | None = None
    networks: NetworksSpec | None = None
    fault: FaultSpec | None = None
    maintenance: MaintenanceSpec | None = None
    # False for answers that hold a secret beside what a client sent: their length would tell about it (BREACH).
    compression: bool = True
    priority: PrioritySpec = PrioritySpec()
    headers: HeadersSpec = HeadersSpec()
    # A template with the names of the match; else the upstream sees the path that was matched.
    rewrite: str | None = None
    mirror: MirrorSpec | None = None
    retry: RetrySpec | None = None
    # Instead of the listener's.
    max_body: Size | None = None
    # Answers and requests without an end: server-sent events, gRPC streams, uploads, WebSocket. No deadline for the
    # whole, no buffering.
    streaming: bool = False
    websocket: bool = False

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        if [bool(one) for one in (self.cluster, self.split, self.redirect, self.respond)].count(True) != 1:
            raise ValueError("give one of 'cluster', 'split', 'redirect' or 'respond'")
        if self.clusters() and not self.timeout:
            raise ValueError("add 'timeout'")
        return self

    def clusters(self) -> tuple[str, ...]:
        """Return the names of the clusters whose answer a client may get."""
        return (self.cluster,) if self.cluster else tuple(self.split)
