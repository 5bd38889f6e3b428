"""A write, once for each key of its user, however often it comes.

answer = await once(Write(key, user.subject, "POST /orders", encode(wish)), lambda key: order_again(fetch, wish, key))

Owns what follows from how a write stands: executed, answered from before, told to wait, or refused. Without the store
nothing is executed. What goes wrong is not kept: nothing was done, or a part of it, and the next try goes on under the
same key, which the backends get too (``derived``); so they do once what was begun twice.
"""

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import sha256
from secrets import token_hex
from typing import Final, NamedTuple

import msgspec

from shared.backends.sections import RETRY_HINT
from shared.errors import ProblemCode, ProblemError
from shared.idempotency.claims import Claims, Standing
from shared.store.errors import StoreError
from shared.store.store import Store
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

NOT_RECORDED: Final = "Writes cannot be recorded now, so nothing was done. Send the same again, with the same key."
UNDER_WAY: Final = "The same request is being executed. Send it again, with the same key, for its answer."
REUSED: Final = "This key came with another request before."


class Write(NamedTuple):
    """One request: its key, whose it is, what it does, and what it says."""

    key: str
    user: str
    operation: str
    said: bytes

    @property
    def name(self) -> str:
        """What the record is called: nobody can tell from it who did what."""
        return _digest(self.user.encode(errors="surrogatepass"), self.key.encode())

    @property
    def digest(self) -> str:
        """What tells this request from another one under the same key."""
        return _digest(self.operation.encode(), self.said)

    @property
    def derived(self) -> str:
        """The key that its backends get."""
        return _digest(b"derived", self.name.encode())


class Answer(NamedTuple):
    """What was answered. ``replayed`` says that it was executed before."""

    status: int
    body: bytes
    location: str = ""
    replayed: bool = False


Execute = Callable[[str], Awaitable[Answer]]


class Once:
    """The live part of one process; ``store`` is None where there is none, and then no write is executed."""

    def __init__(self, store: Store | None, service: str) -> None:
        self._claims = None if store is None else Claims(store, service)

    async def __call__(self, write: Write, execute: Execute) -> Answer:
        """Execute a write, or answer it from before.

        Raises ProblemError: BACKEND_UNREACHABLE without the store, CONFLICT while another executes it,
        IDEMPOTENCY_KEY_REUSED for another request under its key; and whatever ``execute`` raises.
        """
        if self._claims is None:
            raise _not_recorded()
        holder = token_hex(8)
        try:
            claim = await self._claims.claim(write.name, write.digest, holder)
        except StoreError as error:  # it may have been claimed all the same: that ends by itself
            raise _not_recorded() from error
        if claim.standing is Standing.OTHER:
            raise ProblemError(ProblemCode.IDEMPOTENCY_KEY_REUSED, REUSED)
        if claim.standing is Standing.BUSY:
            raise ProblemError(ProblemCode.CONFLICT, UNDER_WAY, retry_after=min(claim.left, RETRY_HINT))
        if claim.standing is Standing.DONE:
            return _unpacked(claim.answer)
        return await self._execute(self._claims, write, holder, execute)

    async def _execute(self, claims: Claims, write: Write, holder: str, execute: Execute) -> Answer:
        try:
            answer = await execute(write.derived)
        except (Exception, asyncio.CancelledError):
            self._release(claims, write, holder)
            raise
        try:
            kept = await claims.finish(write.name, holder, _packed(answer))
        except StoreError as error:
            log.warning("answer_not_kept", cause=error.outcome)  # the backends know the key: again is no second time
        else:
            if not kept:
                log.warning("answer_not_kept", cause="late")
        return answer

    def _release(self, claims: Claims, write: Write, holder: str) -> None:
        try:
            claims.release(write.name, holder)
        except StoreError as error:
            log.warning("claim_not_released", cause=error.outcome)


def _not_recorded() -> ProblemError:
    return ProblemError(ProblemCode.BACKEND_UNREACHABLE, NOT_RECORDED, retry_after=RETRY_HINT)


def _digest(*parts: bytes) -> str:
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.hexdigest()[:48]


_decode = msgspec.msgpack.Decoder(tuple[int, bytes, str]).decode


def _packed(answer: Answer) -> bytes:
    return msgspec.msgpack.encode((answer.status, answer.body, answer.location))


def _unpacked(kept: bytes) -> Answer:
    status, body, location = _decode(kept)
    return Answer(status, body, location, replayed=True)
