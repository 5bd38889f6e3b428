"""Which credential a request carries: exactly one, where it belongs.

Owns the rules of the headers, the same at the edge's control service and in a BFF: a bearer token in ``Authorization``
or an API key in ``X-Api-Key``, never both, neither twice. What the credential is worth is judged elsewhere.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from shared.errors import ProblemCode, ProblemError

API_KEY_HEADER: Final = "x-api-key"
# Begins every API key of ours: scanners find it in code and logs, and we find one in the wrong place.
KEY_PREFIX: Final = "bffk_"

# Three parts of base64url; what they hold is ``compact``'s business.
_JWT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
# RFC 6750 §2.1, b64token. Shorter ones could be guessed, longer ones are no reference to anything.
_OPAQUE: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
OPAQUE_LENGTHS: Final = range(16, 2049)


class CredentialKind(StrEnum):
    """What a route may accept. A closed list: ``accept`` in ``edge.yaml``, ``FRONTAGE_ACCEPT`` in a BFF."""

    JWT = "jwt"
    OPAQUE = "opaque"
    API_KEY = "api_key"


BEARER_KINDS: Final = frozenset({CredentialKind.JWT, CredentialKind.OPAQUE})


@dataclass(frozen=True, slots=True)
class Credential:
    """One credential; its text is never part of the repr."""

    kind: CredentialKind
    text: str = field(repr=False)


def read_credential(authorization: str | None, api_key: str | None, accept: Collection[CredentialKind]) -> Credential:
    """Return the request's one credential; a header that stood twice comes joined by a comma (RFC 9110 §5.3).

    Raises ProblemError: ``invalid_request`` (400) for two credentials, whatever they are worth: who judged the first
    might not be who uses the second (identity.md A37). ``unauthenticated`` (401) for none, or for a kind that is not
    accepted here.
    """
    scheme, _, token = (authorization or "").strip(" ").partition(" ")
    is_bearer = scheme.lower() == "bearer"
    if (authorization and api_key) or "," in (api_key or "") or (is_bearer and "," in token):
        raise ProblemError(ProblemCode.INVALID_REQUEST, "Send one credential.")
    if api_key and CredentialKind.API_KEY in accept:
        return Credential(CredentialKind.API_KEY, api_key)
    token = token.strip(" ")
    if not is_bearer or not token or BEARER_KINDS.isdisjoint(accept):
        raise missing_credential(accept)
    if CredentialKind.JWT in accept and (CredentialKind.OPAQUE not in accept or _JWT.fullmatch(token)):
        return Credential(CredentialKind.JWT, token)
    # A key of ours in the wrong header: it is not for the issuer's eyes.
    if token.startswith(KEY_PREFIX) or len(token) not in OPAQUE_LENGTHS or not _OPAQUE.fullmatch(token):
        raise bad_credential(CredentialKind.OPAQUE)
    return Credential(CredentialKind.OPAQUE, token)


def missing_credential(accept: Collection[CredentialKind]) -> ProblemError:
    """Return the 401 for who showed nothing: which schemes there are, and no error code (RFC 6750 §3.1)."""
    schemes = [
        *(["Bearer"] if not BEARER_KINDS.isdisjoint(accept) else []),
        *(["ApiKey"] if CredentialKind.API_KEY in accept else []),
    ]
    wanted = " or ".join(
        [*(["an access token"] if "Bearer" in schemes else []), *(["an API key"] if "ApiKey" in schemes else [])]
    )
    return _refusal(ProblemCode.UNAUTHENTICATED, f"Send {wanted}.", ", ".join(schemes))


def bad_credential(kind: CredentialKind) -> ProblemError:
    """Return the 401 for a credential that does not count. It never says why: that is for our log."""
    if kind is CredentialKind.API_KEY:
        return _refusal(ProblemCode.UNAUTHENTICATED, "The API key is not valid.", 'ApiKey error="invalid_key"')
    return _refusal(ProblemCode.UNAUTHENTICATED, "The access token is not valid.", 'Bearer error="invalid_token"')


def lacking(kind: CredentialKind, what: str) -> ProblemError:
    """Return the 403 for a credential that counts, but not for this; ``what`` is a scope, a claim, an audience."""
    if kind is CredentialKind.API_KEY:
        return _refusal(ProblemCode.FORBIDDEN, f"The API key lacks {what}.", 'ApiKey error="insufficient_scope"')
    return _refusal(ProblemCode.FORBIDDEN, f"The access token lacks {what}.", 'Bearer error="insufficient_scope"')


def _refusal(code: ProblemCode, detail: str, challenge: str) -> ProblemError:
    return ProblemError(code, detail, headers={"www-authenticate": challenge})
