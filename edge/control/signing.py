"""The key that internal tokens are signed with, and the keys of all control services together.

Owns a key's life (identity.md §3.8). Each process makes its own, in memory; nobody stores or sends a private key. The
public half is published in the store for as long as a token could need it, and everybody serves the union. A new key
is published ``announce`` before anything is signed with it, so that no verifier meets a key that it has not seen; a
process that finds nobody else signing begins at once, for then there is no token that could be refused meanwhile.
"""

import asyncio
import base64
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

from edge.control.key_board import KeyBoard, Posted
from shared.clock import Clock
from shared.identity.internal import ALGORITHM, TYP
from shared.store.errors import StoreError
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

_ES256: Final = JWSRegistry(algorithms=[ALGORITHM]).get_alg(ALGORITHM)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningPolicy:
    """How long a key is announced, used, and still published."""

    # A verifier reads the keys again every 60 s (``shared/identity/internal.py``), and a fetch may take its time.
    announce: timedelta = timedelta(seconds=70)
    rotate_every: timedelta = timedelta(hours=24)
    # After the last signature: a token's life, the difference of clocks, and five minutes for surprises.
    linger: timedelta = timedelta(seconds=60 + 5 + 300)
    post_every: timedelta = timedelta(seconds=5)


class SigningKey:
    """One key pair; the private half stays here."""

    def __init__(self) -> None:
        self._key = ECKey.generate_key("P-256", {"alg": ALGORITHM, "use": "sig"})
        self._key.ensure_kid()  # its thumbprint (RFC 7638)
        self.kid: str = str(self._key.kid)
        self.public: dict[str, Any] = dict(self._key.as_dict(private=False))
        header = {"alg": ALGORITHM, "kid": self.kid, "typ": TYP}
        self._head = _base64url(json.dumps(header, separators=(",", ":")).encode())

    def token(self, claims: dict[str, Any]) -> str:
        """Return the signed token."""
        signed = f"{self._head}.{_base64url(json.dumps(claims, separators=(',', ':')).encode())}"
        return f"{signed}.{_base64url(_ES256.sign(signed.encode(), self._key))}"


class SigningKeys:
    """``current`` signs. ``start`` with the process: it then posts, rotates and reads what others posted."""

    def __init__(self, board: KeyBoard, clock: Clock, policy: SigningPolicy | None = None) -> None:
        self._board = board
        self._clock = clock
        self._policy = policy or SigningPolicy()
        self._own: list[tuple[SigningKey, float]] = []  # with the time from which it signs, in monotonic seconds
        self._others: dict[str, Posted] = {}
        self._keeping: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether there is a key to sign with."""
        return self._current() is not None

    @property
    def current(self) -> SigningKey | None:
        """The key to sign with, or None while the first one is being announced."""
        return self._current()

    def published(self) -> dict[str, Any]:
        """Return the JSON Web Key Set: every key that a living token may be signed with, of every control service."""
        own = [key.public for key, _ in reversed(self._own)]
        known = {key["kid"] for key in own}
        return {"keys": [*own, *(one.public for one in self._others.values() if one.public["kid"] not in known)]}

    async def start(self) -> None:
        """Make a key; sign at once when nobody else does, else once it has been announced."""
        await self._read()
        others_sign = any(one.signing for one in self._others.values())
        self._add(self._policy.announce if others_sign else timedelta(0))
        await self._post()
        self._keeping = asyncio.get_running_loop().create_task(self._keep())

    async def close(self) -> None:
        """Sign no more. The keys stay published until no token can need them."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
        await self._post(leaving=True)

    def _add(self, announce: timedelta) -> None:
        key = SigningKey()
        self._own.append((key, self._clock.now_s() + announce.total_seconds()))
        log.info("signing_key_made", kid=key.kid, signs_in_s=announce.total_seconds())

    def _current(self) -> SigningKey | None:
        now = self._clock.now_s()
        for key, since in reversed(self._own):
            if since <= now:
                return key
        return None

    async def _keep(self) -> None:
        while True:
            await self._clock.sleep(self._policy.post_every.total_seconds())
            self._rotate()
            await self._read()
            await self._post()

    def _rotate(self) -> None:
        """Announce the next key in time, and forget those whose last token has ended."""
        now = self._clock.now_s()
        newest_since = self._own[-1][1]
        if now >= newest_since + self._policy.rotate_every.total_seconds():
            self._add(self._policy.announce)
        linger_s = self._policy.linger.total_seconds()
        for at in range(len(self._own) - 1, 0, -1):  # one is of no use any more that long after its successor began
            if self._own[at][1] + linger_s <= now:
                del self._own[:at]
                break

    async def _read(self) -> None:
        try:
            self._others = await self._board.read(self._clock.wall_s())
        except StoreError as error:  # what was known still counts; our own keys are in memory
            log.warning("signing_keys_unread", cause=str(error))

    async def _post(self, *, leaving: bool = False) -> None:
        posted = [Posted(key.public, signing=not leaving) for key, _ in self._own]
        try:
            await self._board.post(posted, self._clock.wall_s(), self._policy.linger)
        except StoreError as error:
            log.warning("signing_keys_unposted", cause=str(error))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
