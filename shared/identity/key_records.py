"""What is kept of an API key: everything but the key.

Owns the record, its three states, and its form in the store. Times are seconds since the Unix epoch.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, Self

from shared.identity.api_keys import ApiKey


class KeyState(StrEnum):
    """``retiring``: another key takes its place, and it still counts until it expires."""

    ACTIVE = "active"
    RETIRING = "retiring"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """A key's owner and rights. ``audiences`` are the BFFs (clusters of the edge) that it is for."""

    id: str
    env: str
    digest: str = field(repr=False)
    client: str
    scopes: tuple[str, ...]
    audiences: tuple[str, ...]
    created_at: int
    not_before: int
    expires_at: int | None = None
    state: KeyState = KeyState.ACTIVE
    rotated_from: str | None = None

    def counts(self, now_s: float) -> bool:
        """Whether the key counts now."""
        began = self.not_before <= now_s
        return self.state is not KeyState.REVOKED and began and (self.expires_at is None or now_s < self.expires_at)

    def status(self, now_s: float) -> str:
        """Say in one word how it stands: a state, ``expired`` or ``to come``."""
        if self.state is not KeyState.REVOKED and not self.counts(now_s):
            return "to come" if now_s < self.not_before else "expired"
        return self.state.value

    def revoked(self) -> Self:
        """Return the record of the same key, revoked."""
        return replace(self, state=KeyState.REVOKED)

    def retiring(self, until_s: float) -> Self:
        """Return the record of the same key, which ends then, or when it would have ended anyway."""
        ends = int(until_s) if self.expires_at is None else min(int(until_s), self.expires_at)
        return replace(self, state=KeyState.RETIRING, expires_at=ends)

    def followed_by(self, key: ApiKey, now_s: float) -> Self:
        """Return the record of a key that takes this one's place, with the same rights and as long a life."""
        life = None if self.expires_at is None else self.expires_at - self.not_before
        return replace(
            self, id=key.id, env=key.env, digest=key.digest, created_at=int(now_s), not_before=int(now_s),
            expires_at=None if life is None else int(now_s) + life, state=KeyState.ACTIVE, rotated_from=self.id,
        )  # fmt: skip

    def written(self) -> bytes:
        """Return its form in the store: equal records, equal bytes."""
        return json.dumps(asdict(self), sort_keys=True).encode()


def new_record(
    key: ApiKey, *, client: str, scopes: tuple[str, ...], audiences: tuple[str, ...], now_s: float,
    life: timedelta | None,
) -> KeyRecord:  # fmt: skip
    """Return the record of a key that was just made."""
    return KeyRecord(
        id=key.id, env=key.env, digest=key.digest, client=client, scopes=scopes, audiences=audiences,
        created_at=int(now_s), not_before=int(now_s),
        expires_at=None if life is None else int(now_s + life.total_seconds()),
    )  # fmt: skip


def read_record(text: bytes) -> KeyRecord:
    """Read a record. Raises ValueError: what does not fit must not count as a key with other rights."""
    try:
        value: dict[str, Any] = json.loads(text)
        state, scopes, audiences = KeyState(value["state"]), tuple(value["scopes"]), tuple(value["audiences"])
        return KeyRecord(**{**value, "state": state, "scopes": scopes, "audiences": audiences})
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError("no record of a key") from error
