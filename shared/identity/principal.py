"""Who a verified credential speaks for."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of one request, as its access token says.

    ``expires_at`` is in seconds since the Unix epoch. ``token`` is for calls that must forward it; it is a credential
    and never part of the repr, so that no log line can show it by accident.
    """

    subject: str
    client_id: str
    scopes: frozenset[str]
    expires_at: float
    token: str = field(repr=False)
