"""Who a verified credential speaks for."""

from dataclasses import dataclass, field

from shared.identity.credential import CredentialKind, lacking


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of one request, as its credential says.

    ``expires_at`` is in seconds since the Unix epoch. ``token`` is for calls that must forward it; it is a credential
    and never part of the repr, so that no log line can show it by accident. ``audiences`` is whom an API key is for;
    a token's audience was compared when it was verified. ``retiring``: another key has taken this one's place.
    """

    subject: str
    client_id: str
    scopes: frozenset[str]
    expires_at: float
    token: str = field(repr=False)
    kind: CredentialKind = CredentialKind.JWT
    issuer: str = ""
    audiences: frozenset[str] = frozenset()
    retiring: bool = False
    acr: str = ""
    auth_time: int = 0

    def require(self, scopes: frozenset[str], audience: str) -> None:
        """Raise ``forbidden`` (403) unless the caller holds all of the scopes; and its key is for ``audience``."""
        if self.kind is CredentialKind.API_KEY and audience not in self.audiences:
            raise lacking(self.kind, "this audience")
        if not scopes <= self.scopes:
            raise lacking(self.kind, "a scope")
