"""Who judges: the store, which all limiters share, or this process' own memory, for a limiter that is alone.

Owns the batch: what arrives in one turn of the loop goes to the store as one script, so a round trip is shared by all
requests that came together, and each of them is judged whole (``judge.lua``).
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from edge.limits.service import Done
from shared.clock import Clock
from shared.limits.decide import Check, Verdict
from shared.limits.memory import Counters
from shared.store.command import Script, Word
from shared.store.errors import StoreError
from shared.store.store import Store

# A script holds up the store for its length: this many requests are about a millisecond.
MOST_AT_ONCE: Final = 64


def _verdicts(reply: Any) -> list[Verdict]:
    numbers = [int(one) for one in reply]
    if len(numbers) % 3:
        raise ValueError("verdicts come in threes")
    threes = zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True)
    return [Verdict(bool(fits), left, wait_us) for fits, left, wait_us in threes]


JUDGE: Final = Script(Path(__file__).with_name("judge.lua").read_text(encoding="utf-8"), _verdicts)
Asked = tuple[tuple[Check, ...], Done]


def arguments(requests: Sequence[Sequence[Check]], now: Word = "") -> tuple[list[bytes], list[Word]]:
    """Return keys and arguments of ``judge.lua``. ``now`` in microseconds is for tests; else the store's own clock."""
    keys: list[bytes] = []
    words: list[Word] = [now]
    for checks in requests:
        words.append(len(checks))
        for policy, key, cost in checks:
            keys.append(key.encode())
            words += (policy.algorithm, policy.limit, policy.window_us, policy.segments, cost, int(policy.shadow))
    return keys, words


class StoreJudge:
    """Judges in one store: a single server, or the primary that sentinels name."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[Asked] = []

    def judge(self, checks: tuple[Check, ...], done: Done) -> None:
        """Judge with whatever else comes in this turn of the loop."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._send)
        self._waiting.append((checks, done))

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        for start in range(0, len(waiting), MOST_AT_ONCE):
            self._ask(waiting[start : start + MOST_AT_ONCE])

    def _ask(self, batch: list[Asked]) -> None:
        try:
            answer = self._store.run(JUDGE, *arguments([checks for checks, _ in batch]))
        except StoreError:
            _unjudged(batch)
            return
        answer.add_done_callback(lambda done: self._settle(batch, done))

    @staticmethod
    def _settle(batch: list[Asked], answer: "asyncio.Future[list[Verdict]]") -> None:
        verdicts = None if answer.cancelled() or answer.exception() else answer.result()
        if verdicts is None or len(verdicts) != sum(len(checks) for checks, _ in batch):
            _unjudged(batch)
            return
        at = 0
        for checks, done in batch:
            done(verdicts[at : at + len(checks)])
            at += len(checks)


def _unjudged(batch: list[Asked]) -> None:
    for checks, done in batch:
        done([None] * len(checks))


class MemoryJudge:
    """Judges in this process: exact while no second limiter serves the same edges."""

    def __init__(self, clock: Clock) -> None:
        self._counters = Counters(clock)

    def judge(self, checks: tuple[Check, ...], done: Done) -> None:
        """Judge at once."""
        done(self._counters.judge(checks))
