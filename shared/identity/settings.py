"""What judging credentials needs from the environment, in a BFF and in the control service: ``FRONTAGE_*``."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.addresses import HttpUrl
from shared.identity.credential import CredentialKind
from shared.identity.internal import EDGE_ISSUER
from shared.identity.keys import ALGORITHMS
from shared.store.address import StoreAddress, read_address


class IssuerSettings(BaseModel):
    """One more issuer of JWTs, as JSON in ``FRONTAGE_ISSUERS``: the same words as in ``edge.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: Annotated[str, Field(min_length=1)]
    audience: Annotated[str, Field(min_length=1)]
    jwks: HttpUrl
    algorithms: Annotated[tuple[str, ...], Field(min_length=1)] = ("ES256", "RS256")
    token_type: str = "at+jwt"  # noqa: S105 - a media type

    @field_validator("algorithms")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not ALGORITHMS.issuperset(value):
            raise ValueError(f"use {', '.join(sorted(ALGORITHMS))}")
        return value


class CredentialSettings(BaseSettings):
    """What opaque tokens and API keys are checked with.

    ``introspection_*``: where the issuer is asked about an opaque token, and as whom; ``introspection_remember`` is
    how long its yes is believed: the window of a revocation, zero for none; ``introspection_timeout`` how long it may
    take to answer. ``keys_url`` is the store of the API keys, in the forms of ``store_url``, one that keeps its data;
    ``keys_max_age`` how old what is known of them may be.
    """

    model_config = SettingsConfigDict(env_prefix="FRONTAGE_", frozen=True, extra="ignore", hide_input_in_errors=True)

    audience: str = "frontage"
    introspection_url: HttpUrl | None = None
    introspection_client_id: str = "frontage"
    introspection_client_secret: SecretStr = SecretStr("")
    introspection_issuer: str | None = None
    introspection_remember: Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(minutes=5))] = timedelta(
        seconds=30
    )
    introspection_timeout: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(milliseconds=1_500)
    keys_url: SecretStr | None = None
    keys_max_age: Annotated[timedelta, Field(ge=timedelta(seconds=5))] = timedelta(seconds=5)

    @property
    def keys(self) -> StoreAddress | None:
        """Where the API keys are. Raises ValueError, which names the variable and what is wrong, but no secret."""
        if self.keys_url is None or not self.keys_url.get_secret_value():
            return None
        try:
            return read_address(self.keys_url.get_secret_value())
        except ValueError as fault:
            raise ValueError(f"FRONTAGE_KEYS_URL: {fault}") from None


class IdentitySettings(CredentialSettings):
    """Whom a BFF believes: ``issuer`` with its ``jwks_url``, more ``issuers``, the kinds in ``accept``, the mode.

    ``scopes``: what every caller must hold; what single routes ask beyond it, they say (``asgi/caller.py``).

    ``identity_mode``: ``verify`` judges the credential again, ``internal`` believes the edge's signed word
    (``internal_jwks_url`` has its keys), ``edge`` its plain word.
    """

    issuer: str = ""
    jwks_url: HttpUrl | None = None
    issuers: tuple[IssuerSettings, ...] = ()
    accept: Annotated[frozenset[CredentialKind], NoDecode, Field(min_length=1)] = frozenset({CredentialKind.JWT})
    scopes: Annotated[frozenset[str], NoDecode] = frozenset()
    identity_mode: Literal["edge", "verify", "internal"] = "verify"
    internal_jwks_url: HttpUrl | None = None
    internal_issuer: str = EDGE_ISSUER

    @field_validator("accept", "scopes", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        """Read ``jwt,api_key``."""
        return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _something_to_check_with(self) -> Self:
        """Refuse at start what would answer every request with an error."""
        needed = {
            CredentialKind.JWT: (bool(self.issuer and self.jwks_url) or self.issuers, "FRONTAGE_JWKS_URL and _ISSUER"),
            CredentialKind.OPAQUE: (self.introspection_url, "FRONTAGE_INTROSPECTION_URL"),
            CredentialKind.API_KEY: (self.keys, "FRONTAGE_KEYS_URL"),
        }
        missing = [f"FRONTAGE_ACCEPT names {kind}: set {what}" for kind, (there, what) in needed.items()
                   if self.identity_mode == "verify" and kind in self.accept and not there]  # fmt: skip
        if self.identity_mode == "internal" and self.internal_jwks_url is None:
            missing.append("FRONTAGE_IDENTITY_MODE is internal: set FRONTAGE_INTERNAL_JWKS_URL")
        if missing:
            raise ValueError("; ".join(missing))
        return self
