"""A made-up issuer of access tokens: its own key, its own JWKS, and whoever a test wants to be.

issuer = Issuer()
headers = issuer.signed_in("ada")                       # {"authorization": "Bearer …"}
headers = issuer.signed_in("ada", scope="", exp=0)      # any claim otherwise; None leaves it out
"""

import base64
import json
import time
from collections.abc import Callable
from typing import Any, Final

from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

NAME: Final = "http://identity.test"
AUDIENCE: Final = "frontage"
LIFETIME_S: Final = 3600


class Issuer:
    """Signs as of ``now`` (seconds since the Unix epoch)."""

    def __init__(self, now: Callable[[], float] = time.time, name: str = NAME, audience: str = AUDIENCE) -> None:
        self.name = name
        self.audience = audience
        self._now = now
        self._key = ECKey.generate_key("P-256", {"kid": "kit-1", "alg": "ES256", "use": "sig"})

    def jwks(self) -> bytes:
        """Return the published document."""
        return json.dumps({"keys": [self._key.as_dict(private=False)]}).encode()

    def claims(self, subject: str = "u-1", **changes: Any) -> dict[str, Any]:
        """Return good claims with changes; a claim given as None is left out."""
        now = int(self._now())
        good = {
            "iss": self.name, "aud": self.audience, "sub": subject, "client_id": "app", "scope": "dashboard",
            "iat": now, "exp": now + LIFETIME_S, "jti": f"{subject}@{now}",
        }  # fmt: skip
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    def token(self, subject: str = "u-1", **changes: Any) -> str:
        """Return an access token (RFC 9068)."""
        header = {"alg": "ES256", "kid": "kit-1", "typ": "at+jwt"}
        signed = ".".join(_b64(json.dumps(part).encode()) for part in (header, self.claims(subject, **changes)))
        signature = JWSRegistry(algorithms=["ES256"]).get_alg("ES256").sign(signed.encode(), self._key)
        return f"{signed}.{_b64(signature)}"

    def signed_in(self, subject: str = "u-1", **changes: Any) -> dict[str, str]:
        """Return the header of a caller who is signed in."""
        return {"authorization": f"Bearer {self.token(subject, **changes)}"}


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
