"""What a client is told: RateLimit, RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10), and Retry-After.

Owns which limit is reported when several count, and the whole seconds. One value in each header: the limit that blocked
(of several, the one that blocks longest); when none did, the tightest. Shadow limits are never told.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from shared.limits.decide import Check, Verdict
from shared.limits.policy import LimitPolicy

MICROSECONDS: Final = 1_000_000


class Told(NamedTuple):
    """The limit that is reported: units left, whole seconds until more, and whether it refused."""

    policy: LimitPolicy
    left: int
    reset_s: int
    refused: bool

    @property
    def rate_limit_policy(self) -> str:
        """``"per-client";q=100;w=60``: 100 units in 60 seconds."""
        return f'"{self.policy.name}";q={self.policy.limit};w={self.policy.window_s}'

    @property
    def rate_limit(self) -> str:
        """``"per-client";r=3;t=17``: 3 units left, more in 17 seconds."""
        return f'"{self.policy.name}";r={self.left};t={self.reset_s}'


def told(checks: Iterable[Check], verdicts: Iterable[Verdict]) -> Told | None:
    """Choose what to report; None when every limit is a shadow."""
    every = [
        Told(check.policy, verdict.left, reset_s(check.policy, verdict), not verdict.fits)
        for check, verdict in zip(checks, verdicts, strict=True)
        if not check.policy.shadow
    ]
    refused = [one for one in every if one.refused]
    if refused:
        return max(refused, key=lambda one: one.reset_s)
    return min(every, key=lambda one: (one.left, -one.reset_s), default=None)


def reset_s(policy: LimitPolicy, verdict: Verdict) -> int:
    """Return whole seconds, rounded up: who waits for them finds what was promised. Refused: 1 to the window."""
    seconds = min(-(-verdict.wait_us // MICROSECONDS), policy.window_s)
    return seconds if verdict.fits else max(1, seconds)
