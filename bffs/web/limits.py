"""What a caller may ask for: which documents, and at what cost, in one operation and in a minute.

Owns the classes of callers and their policies. Size (tokens, depth, aliases) is everybody's alike: ``prepare.py`` and
``measure.py``.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Final

from shared.identity.principal import Principal
from shared.limits.charging import ChargePolicy, OnFailure
from shared.limits.policy import Algorithm, LimitPolicy

MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class CallerPolicy:
    """One class of callers. ``may_send_text``: documents that no manifest has, as a tool or a developer sends them."""

    name: str
    may_send_text: bool
    most_cost: int
    cost_per_minute: int
    on_failure: OnFailure

    @cached_property
    def charge(self) -> ChargePolicy:
        """How the minute is counted: exact to a segment of ten seconds, over all replicas where there is a limiter."""
        limit = LimitPolicy(
            name=f"web-cost.{self.name}", algorithm=Algorithm.SLIDING_WINDOW, limit=self.cost_per_minute,
            window=MINUTE, segments=6,
        )  # fmt: skip
        return ChargePolicy(limit=limit, on_failure=self.on_failure)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerPolicies:
    """Who is of which class: pages send what was deployed, explorers what comes to their minds.

    ``explorer_scope`` makes an explorer of who has it.
    """

    page: CallerPolicy
    explorer: CallerPolicy
    explorer_scope: str

    def of(self, user: Principal) -> CallerPolicy:
        """Return a caller's policy."""
        return self.explorer if self.explorer_scope in user.scopes else self.page
