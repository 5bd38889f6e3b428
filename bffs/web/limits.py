"""What a caller may ask for: which documents, and at what cost, in one operation and in a minute.

Owns the classes of callers and their policies. Size (tokens, depth, aliases) is everybody's alike: ``prepare.py`` and
``measure.py``.
"""

from dataclasses import dataclass

from shared.identity.principal import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerPolicy:
    """One class of callers. ``may_send_text``: documents that no manifest has, as a tool or a developer sends them."""

    name: str
    may_send_text: bool
    most_cost: int
    cost_per_minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerPolicies:
    """Who is of which class: pages send what was deployed, explorers what comes to their minds.

    ``explorer_scope`` makes an explorer of who has it; ``local``, everybody.
    """

    page: CallerPolicy
    explorer: CallerPolicy
    explorer_scope: str
    local: bool

    def of(self, user: Principal) -> CallerPolicy:
        """Return a caller's policy."""
        return self.explorer if self.local or self.explorer_scope in user.scopes else self.page
