"""Charging a caller for work before it is done: what a request costs is known only to whoever is about to do it.

Owns the question to the limiter (``edge/limits``), the same that an edge asks, and what follows when nobody can judge:
the policy's choice, as in ``edge.yaml``. The limiter is called as a backend is, within the request's deadline, behind a
breaker, on HTTP/2; it is asked once, since nobody knows whether an attempt that got no answer was counted.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from shared.backends.backend import Backend, Call, CallPolicy
from shared.backends.channel import field_lines
from shared.backends.content import Content
from shared.backends.sections import Sections, required
from shared.clock import Clock
from shared.errors import ProblemCode, ProblemError, SectionUnavailable
from shared.limits.decide import Check
from shared.limits.memory import Counters
from shared.limits.messages import Descriptor, LimitAnswer, read_answer, write_request
from shared.limits.policy import DOMAIN, POLICY_KEY, LimitPolicy

# gRPC gives a message five bytes of its own: not compressed, and its length.
PREFIX: Final = 5
GRPC: Final = field_lines((("content-type", "application/grpc"), ("te", "trailers")))
MICROSECONDS: Final = 1_000_000
# As an edge's counters: how long to stay away when it is not known when more will be.
UNKNOWN_WAIT: Final = timedelta(seconds=1)


# Who is charged: names and values, as the parts of a limit's key at the edge.
Key = tuple[tuple[str, str], ...]


class OnFailure(StrEnum):
    """What happens to a request when its limit cannot be judged; the words of ``edge.yaml``."""

    OPEN = "open"
    CLOSED = "closed"
    LOCAL = "local"


def _read(body: bytes) -> LimitAnswer:
    if len(body) < PREFIX or body[0] or len(body) != PREFIX + int.from_bytes(body[1:PREFIX]):
        raise ValueError("no gRPC message")  # such as an answer of trailers alone: an error
    return read_answer(body[PREFIX:])


# A tenth of a second is what an edge waits (docs/limits.md); in the same zone an answer takes one or two milliseconds.
LIMITER: Final = Backend("limiter", CallPolicy(attempt_timeout=timedelta(milliseconds=100)), transport="h2")
CHECK: Final = Call(LIMITER, "POST", "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit", _read)


class Charging(Sections):
    """One question to the limiter."""

    answer = required(CHECK)


class Fetches(Protocol):
    """The fan-out of one request."""

    async def __call__(self, sections: type[Charging], *, contents: dict[str, Content]) -> Charging:
        """Run it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargePolicy:
    """What is counted, and what happens when it cannot be."""

    limit: LimitPolicy
    on_failure: OnFailure = OnFailure.LOCAL


class Charged(NamedTuple):
    """What became of a charge: units left; unknown where nobody could count."""

    left: int | None


class Charger:
    """Charges. ``distributed``: a limiter is there to be asked; without one, this process counts for itself."""

    def __init__(self, clock: Clock, *, distributed: bool) -> None:
        self._distributed = distributed
        self._counters = Counters(clock)

    async def charge(self, fetch: Fetches, policy: ChargePolicy, key: Key, cost: int) -> Charged:
        """Charge ``cost`` units to ``key``. Raises ProblemError(RATE_LIMITED), or LIMITER_UNAVAILABLE."""
        if not self._distributed:
            return self._locally(policy, key, cost)
        question = write_request(DOMAIN, [Descriptor(((POLICY_KEY, str(policy.limit)), *key), cost)])
        body = b"\0" + len(question).to_bytes(4) + question
        try:
            got = await fetch(Charging, contents={"answer": Content(body, GRPC)})
        except SectionUnavailable:
            return self._unjudged(policy, key, cost)
        answer = got.answer
        if answer.unjudged or not answer.statuses:
            return self._unjudged(policy, key, cost)
        left, reset_s = answer.statuses[0]
        if answer.over:
            raise _over(policy, timedelta(seconds=reset_s))
        return Charged(left)

    def _unjudged(self, policy: ChargePolicy, key: Key, cost: int) -> Charged:
        if policy.on_failure is OnFailure.OPEN:
            return Charged(None)
        if policy.on_failure is OnFailure.CLOSED:
            raise ProblemError(ProblemCode.LIMITER_UNAVAILABLE, retry_after=UNKNOWN_WAIT)
        return self._locally(policy, key, cost)

    def _locally(self, policy: ChargePolicy, key: Key, cost: int) -> Charged:
        name = "\n".join([policy.limit.memory, *[part for pair in key for part in pair]])
        (verdict,) = self._counters.judge([Check(policy.limit, name, cost)])
        if not verdict.fits:
            raise _over(policy, timedelta(microseconds=verdict.wait_us))
        return Charged(verdict.left)


def _over(policy: ChargePolicy, wait: timedelta) -> ProblemError:
    told = f"At most {policy.limit.limit} units in {policy.limit.window_s} seconds ({policy.limit.name})."
    return ProblemError(ProblemCode.RATE_LIMITED, told, retry_after=max(wait, UNKNOWN_WAIT))
