"""Who may pass, and whose tokens count."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from edge.spec.access import CorsSpec
from edge.spec.base import Name, Names, Spec
from edge.spec.limits import LimitSpec
from edge.units import Duration


class AuthSpec(Spec):
    """Who may pass. ``verify``: the edge judges the token and forwards it, and the BFF judges it again."""

    accept: Annotated[tuple[Literal["jwt", "opaque", "api_key", "session"], ...], Field(min_length=1)] = ("jwt",)
    mode: Literal["edge", "verify", "internal"] = "verify"
    scopes: Names = ()
    # Claims of which one of these values must be held, e.g. role: [admin, support]; a list in the token counts as each.
    claims: dict[str, Annotated[Names, Field(min_length=1)]] = Field(default_factory=dict)
    issuers: Annotated[Names, Field(min_length=1)]


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
