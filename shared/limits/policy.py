"""One limit as it is enforced, and its form on the wire between edge and limiter.

Owns ``LimitPolicy`` and its text, e.g. ``per-user sliding_window q=100 w=60 s=6``: the first entry of every descriptor
that an edge sends. The compiler writes it, the limiter reads it; the numbers are those of ``edge.yaml``.
"""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final

# The key of the descriptor entry that carries the policy.
POLICY_KEY: Final = "limit"
# What one limiter and its edges have in common; another product on the same limiter would take another.
DOMAIN: Final = "frontage"

_TEXT: Final = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9.-]{0,80}) (?P<algorithm>[a-z_]+) q=(?P<limit>\d{1,10}) w=(?P<window>\d{1,8})"
    r"(?: s=(?P<segments>\d{1,3}))?(?P<shadow> shadow)?"
)


class Algorithm(StrEnum):
    """How a limit counts."""

    SLIDING_WINDOW = "sliding_window"
    SLIDING_LOG = "sliding_log"
    TOKEN_BUCKET = "token_bucket"  # noqa: S105 - an algorithm, not a credential


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitPolicy:
    """``limit`` units in any ``window`` (whole seconds); ``segments`` of it for ``sliding_window`` alone.

    A ``shadow`` policy counts and is reported in metrics, and refuses nobody.
    """

    name: str
    algorithm: Algorithm
    limit: int
    window: timedelta
    segments: int = 1
    shadow: bool = False
    # The window, in seconds and in microseconds: the unit in which the store counts.
    window_s: int = field(init=False, repr=False, compare=False)
    window_us: int = field(init=False, repr=False, compare=False)
    # What must be equal for two policies to count in the same place. The limit may change; the shape may not.
    memory: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.limit < 1 or self.segments < 1 or self.window < timedelta(seconds=1) or self.window.microseconds:
            raise ValueError("a limit and its segments are at least 1, its window whole seconds")
        # Asked for several times a check: worked out once.
        object.__setattr__(self, "window_s", self.window // timedelta(seconds=1))
        object.__setattr__(self, "window_us", self.window // timedelta(microseconds=1))
        memory = f"{self.name} {self.algorithm} {self.window_s} {self.segments}"
        object.__setattr__(self, "memory", memory)

    def __str__(self) -> str:
        segments = f" s={self.segments}" if self.algorithm is Algorithm.SLIDING_WINDOW else ""
        return f"{self.name} {self.algorithm} q={self.limit} w={self.window_s}{segments}{' shadow' * self.shadow}"


def parse_policy(text: str) -> LimitPolicy:
    """Read the text form. Raises ValueError for anything else."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError("no policy in the descriptor")
    return LimitPolicy(
        name=found["name"],
        algorithm=Algorithm(found["algorithm"]),
        limit=int(found["limit"]),
        window=timedelta(seconds=int(found["window"])),
        segments=int(found["segments"] or 1),
        shadow=found["shadow"] is not None,
    )
