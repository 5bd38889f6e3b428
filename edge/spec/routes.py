"""Which requests go where: matches and routes."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from edge.spec.base import Name, Names, Spec, Token
from edge.units import Duration, parse_names


class HeaderMatchSpec(Spec):
    """What a header must hold: a plain word in YAML means ``exact``."""

    exact: str | None = None
    contains: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: Any) -> Any:
        return {"exact": value} if isinstance(value, str) else value


class MatchSpec(Spec):
    """Which requests a route takes. All given conditions must hold; the most specific match wins."""

    path: str
    hosts: Names = ()
    methods: Annotated[tuple[Token, ...], BeforeValidator(parse_names)] = ()
    headers: dict[Token, HeaderMatchSpec] = Field(default_factory=dict)
    query: dict[str, str] = Field(default_factory=dict)
    cookies: dict[str, str] = Field(default_factory=dict)


class RouteSpec(Spec):
    """From a match to a cluster, under named policies."""

    name: Name
    match: MatchSpec
    cluster: str
    # Required: a default would be a lie for somebody, and the client's deadline is min(this, what it asked for).
    timeout: Duration
    auth: str | None = None
    limits: Names = ()
