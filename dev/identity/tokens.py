"""Makes access tokens (RFC 9068): good ones by default, any other on request, for tests and for a developer's curl."""

import base64
import hashlib
import hmac
import json
import uuid
from typing import Annotated, Any, Final, Literal

from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry
from pydantic import BaseModel, ConfigDict, Field

from dev.identity.settings import IdentitySettings

LIFETIME_S: Final = 3600

_REGISTRY: Final = JWSRegistry(algorithms=["ES256"])


class TokenRequest(BaseModel):
    """Whom the token is for, and what shall be wrong with it.

    ``header`` and ``claims`` replace single members as the last step; null leaves one out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    user: Annotated[str, Field(min_length=1, max_length=255)]
    client_id: str = "frontage-dev"
    scope: str = "dashboard"
    audience: str | list[str] | None = None
    issuer: str | None = None
    expires_in: int = LIFETIME_S
    algorithm: Literal["ES256", "none", "HS256"] = "ES256"
    header: dict[str, Any] = {}
    claims: dict[str, Any] = {}


def make_token(request: TokenRequest, settings: IdentitySettings, key: ECKey, now_s: float) -> str:
    """Return the compact token. Expired ones were issued before they expired."""
    now = int(now_s)
    header = {"alg": request.algorithm, "kid": key.kid, "typ": "at+jwt"}
    claims = {
        "iss": settings.issuer if request.issuer is None else request.issuer,
        "aud": settings.audience if request.audience is None else request.audience,
        "sub": request.user,
        "client_id": request.client_id,
        "scope": request.scope,
        "iat": min(now, now + request.expires_in),
        "exp": now + request.expires_in,
        "jti": str(uuid.uuid4()),
    }
    signed = f"{_part(header, request.header)}.{_part(claims, request.claims)}"
    return f"{signed}.{_base64url(_sign(request.algorithm, key, signed.encode()))}"


def _sign(algorithm: str, key: ECKey, signed: bytes) -> bytes:
    if algorithm == "none":
        return b""
    if algorithm == "HS256":  # the classic attack: the public key, which everybody has, taken for a shared secret
        return hmac.digest(key.as_pem(private=False), signed, hashlib.sha256)
    return _REGISTRY.get_alg(algorithm).sign(signed, key)


def _part(members: dict[str, Any], changes: dict[str, Any]) -> str:
    changed = {name: value for name, value in {**members, **changes}.items() if value is not None}
    return _base64url(json.dumps(changed, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
