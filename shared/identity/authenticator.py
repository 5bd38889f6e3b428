"""Who calls a BFF: from the headers of a request to its principal, in one of three modes.

``verify`` (the default): the credential itself is judged again, whatever the edge has judged. ``internal``: the edge's
signed word, and nothing else, is believed. ``edge``: the edge's plain word is believed, because nobody else can reach
us (mutual TLS or a unix socket, ``shared/settings.py`` holds to it). The same rules as at the edge, by the same code.
"""

from collections.abc import Collection, Mapping
from typing import Final, Literal
from urllib.parse import unquote

from shared.errors import ProblemCode, ProblemError
from shared.identity import internal
from shared.identity.credential import (
    CredentialKind,
    bad_credential,
    missing_credential,
    read_credential,
)  # fmt: skip
from shared.identity.introspection import Introspector
from shared.identity.issuers import Verifies
from shared.identity.key_book import KeyBook
from shared.identity.principal import Principal

Mode = Literal["edge", "verify", "internal"]
# A header's raw bytes by its lower-case name, those of one that stood twice joined by a comma.
Fields = Mapping[bytes, bytes]

SUBJECT, CLIENT, SCOPE, METHOD, EXPIRES = (
    b"x-auth-sub", b"x-auth-client", b"x-auth-scope", b"x-auth-method", b"x-auth-exp",
)  # fmt: skip
_AUTHORIZATION: Final = b"authorization"
_API_KEY: Final = b"x-api-key"
_INTERNAL: Final = internal.HEADER.encode()


class Authenticator:
    """Judges requests for a BFF named ``audience``. What a kind needs must be given where it is accepted."""

    def __init__(
        self, mode: Mode, audience: str, accept: Collection[CredentialKind], *, scopes: Collection[str] = (),
        tokens: Verifies | None = None, introspector: Introspector | None = None, keys: KeyBook | None = None,
    ) -> None:  # fmt: skip
        self.mode = mode
        self.audience = audience
        self.accept = frozenset(accept)
        self._scopes = frozenset(scopes)
        self._tokens = tokens
        self._introspector = introspector
        self._keys = keys
        self._jwt_alone = mode == "verify" and self.accept == {CredentialKind.JWT}

    def cached(self, fields: Fields) -> Principal | None:
        """Return who was verified a moment ago by the same token, or None: nothing but a dict look-up."""
        if not self._jwt_alone or self._tokens is None or _API_KEY in fields:
            return None
        value = fields.get(_AUTHORIZATION)
        if value is None or value[:7] != b"Bearer ":
            return None
        known = self._tokens.cached(value[7:].decode("latin-1"))
        return known if known is not None and self._scopes <= known.scopes else None

    async def judge(self, fields: Fields) -> Principal:
        """Return whom the request speaks for; raises 400, 401, 403 or 503."""
        principal = await self._by_mode(fields)
        principal.require(self._scopes, self.audience)
        return principal

    async def _by_mode(self, fields: Fields) -> Principal:
        if self.mode == "internal":
            return await self._by_internal_token(fields)
        if self.mode == "edge":
            return self._by_headers(fields)
        credential = read_credential(_text(fields, _AUTHORIZATION), _text(fields, _API_KEY), self.accept)
        return await self._by_credential(credential.kind, credential.text)

    async def _by_credential(self, kind: CredentialKind, text: str) -> Principal:
        if kind is CredentialKind.API_KEY and self._keys is not None:
            return self._keys.verify(text)
        if kind is CredentialKind.OPAQUE and self._introspector is not None:
            principal, _ = await self._introspector.verify(text)
            return principal
        if kind is CredentialKind.JWT and self._tokens is not None:
            return self._tokens.cached(text) or await self._tokens.verify(text)
        raise ProblemError(ProblemCode.INTERNAL)  # settings refuse it at start

    async def _by_internal_token(self, fields: Fields) -> Principal:
        token = _text(fields, _INTERNAL)
        if not token or "," in token or self._tokens is None:
            raise missing_credential(self.accept)
        return self._tokens.cached(token) or await self._tokens.verify(token)

    def _by_headers(self, fields: Fields) -> Principal:
        words = {name: _text(fields, name) for name in (SUBJECT, CLIENT, SCOPE, METHOD, EXPIRES)}
        subject, client = words[SUBJECT], words[CLIENT]
        if not subject or not client:
            raise missing_credential(self.accept)
        if any("," in (word or "") for word in words.values()):  # the edge writes each once, a comma as %2C
            raise bad_credential(CredentialKind.JWT)
        try:
            kind, expires_at = CredentialKind(words[METHOD] or ""), float(words[EXPIRES] or "inf")
        except ValueError as error:
            raise bad_credential(CredentialKind.JWT) from error
        scopes = frozenset(unquote(words[SCOPE] or "").split())
        return Principal(
            unquote(subject), unquote(client), scopes, expires_at, "", kind, audiences=frozenset({self.audience})
        )


def _text(fields: Fields, name: bytes) -> str | None:
    value = fields.get(name)
    return None if value is None else value.decode("latin-1")
