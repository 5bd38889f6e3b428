"""Several issuers, each with its own keys, audience and algorithms.

Owns the choice: by the ``iss`` that a token claims, which the chosen issuer's rules then prove or refuse. A key of one
issuer never counts for another (RFC 8725 §3.8).
"""

from collections.abc import Mapping
from typing import Protocol

from shared.identity.compact import TokenRefused, read_compact
from shared.identity.credential import CredentialKind, bad_credential
from shared.identity.principal import Principal
from shared.identity.tokens import TokenVerifier
from shared.telemetry.logs import get_logger

log = get_logger(__name__)


class Verifies(Protocol):
    """What says who a JWT speaks for: the verifier of one issuer, or of several."""

    def cached(self, token: str) -> Principal | None:
        """Return the principal of a token verified a moment ago, or None."""

    async def verify(self, token: str) -> Principal:
        """Return the token's principal; raises 401 for a token that does not count, 503 when no key is to be had."""


class Issuers:
    """Verifiers by the name of their issuer."""

    def __init__(self, verifiers: Mapping[str, TokenVerifier], max_length: int) -> None:
        self._verifiers = dict(verifiers)
        self._each = tuple(verifiers.values())
        self._max_length = max_length

    def cached(self, token: str) -> Principal | None:
        """Return the principal of a token verified a moment ago, or None."""
        for verifier in self._each:
            if (known := verifier.cached(token)) is not None:
                return known
        return None

    async def verify(self, token: str) -> Principal:
        """Return the token's principal; see ``Verifies``."""
        if (known := self.cached(token)) is not None:
            return known
        try:
            issuer = read_compact(token, self._max_length).claims.get("iss")
            verifier = self._verifiers.get(issuer) if isinstance(issuer, str) else None
            if verifier is None:
                raise TokenRefused("iss")  # noqa: TRY301 - one place says it
        except TokenRefused as refused:
            log.info("token_refused", reason=str(refused))
            raise bad_credential(CredentialKind.JWT) from refused
        return await verifier.verify(token)
