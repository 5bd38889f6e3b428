"""Who may pass, and whose tokens count."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from edge.spec.access import CorsSpec
from edge.spec.base import Name, Names, Spec
from edge.spec.clusters import EndpointSpec
from edge.spec.limits import LimitSpec
from edge.units import Duration


class AuthSpec(Spec):
    """Who may pass, with which kinds of credential, and what the upstream learns of it.

    ``verify``: the edge judges the credential and forwards it, and the BFF judges it again. ``internal``: in its place
    the BFF gets a signed token of the edge's. ``edge``: in its place the BFF gets plain headers; only where nobody else
    can reach it.
    """

    accept: Annotated[tuple[Literal["jwt", "opaque", "api_key", "session"], ...], Field(min_length=1)] = ("jwt",)
    mode: Literal["edge", "verify", "internal"] = "verify"
    scopes: Names = ()
    # Claims of which one of these values must be held, e.g. role: [admin, support]; a list in the token counts as each.
    claims: dict[str, Annotated[Names, Field(min_length=1)]] = Field(default_factory=dict)
    # Of JWTs, and of nothing else.
    issuers: Names = ()

    @property
    def judged_here(self) -> bool:
        """Whether Envoy itself judges a JWT: it never leaves Envoy. A signed token in its place, Envoy cannot make."""
        return "jwt" in self.accept and self.mode != "internal"

    @property
    def asks_control(self) -> bool:
        """Whether some request of its routes is judged by the control service."""
        return self.mode == "internal" or not {"opaque", "api_key"}.isdisjoint(self.accept)


class ControlSpec(Spec):
    """The service that judges opaque tokens and API keys, and signs internal tokens (``python -m edge.control``)."""

    endpoints: Annotated[tuple[EndpointSpec, ...], Field(min_length=1)]
    # It may have to ask an issuer, which has 1.5 s.
    timeout: Duration = timedelta(seconds=2)


class IssuerSpec(Spec):
    """Whose tokens count, for which audience, under which algorithms."""

    issuer: Annotated[str, StringConstraints(min_length=1)]
    audience: Annotated[str, StringConstraints(min_length=1)]
    jwks: Annotated[str, StringConstraints(pattern=r"^https?://[^/?#@]+(/[^?#]*)?$")]
    # Required: pinned here, never chosen by the token (field case A2).
    algorithms: Annotated[tuple[str, ...], Field(min_length=1)]
    # RFC 9068: an ID token is no access token.
    token_type: str = "at+jwt"  # noqa: S105 - a media type, not a credential
    # The bound within which a rotated key is known here: Envoy does not ask again for an unknown key id.
    refresh: Duration = timedelta(seconds=10)
    # Clocks of two machines; the BFF allows the same.
    clock_skew: Duration = timedelta(seconds=30)


class PoliciesSpec(Spec):
    """Shared policies, by name."""

    auth: dict[Name, AuthSpec] = Field(default_factory=dict)
    issuers: dict[Name, IssuerSpec] = Field(default_factory=dict)
    limits: dict[Name, LimitSpec] = Field(default_factory=dict)
    cors: dict[Name, CorsSpec] = Field(default_factory=dict)
