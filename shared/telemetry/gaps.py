"""Why a section was not served, in the log: the answer to the first question that an operator has.

Owns the line and its limit. It names section, backend, reason and what happened in our own words; ``detail`` is made
of types, statuses and numbers, never of a payload. In an outage each backend and reason is said ``A_SECOND`` times a
second, and the next line says how many were not.
"""

from collections import defaultdict
from typing import Final

from shared.errors import Reason
from shared.telemetry.ledger import Ledger, SectionRecord
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

A_SECOND: Final = 5
# A sentence; what is longer was not written by us.
MAX_DETAIL: Final = 200


class _Said:
    """What was said of one backend and reason in one second."""

    __slots__ = ("lines", "second", "silent")

    def __init__(self) -> None:
        self.second = self.lines = self.silent = 0


class GapLog:
    """Tells the gaps of finished requests."""

    def __init__(self) -> None:
        self._said: defaultdict[tuple[str, Reason], _Said] = defaultdict(_Said)

    def tell(self, ledger: Ledger) -> None:
        """Log each section of this request that is a gap, unless enough were."""
        for section in ledger.sections:
            if section.reason is not None:
                self._tell(ledger, section, section.reason)

    def _tell(self, ledger: Ledger, section: SectionRecord, reason: Reason) -> None:
        said, second = self._said[section.backend, reason], int(ledger.ended_s)
        if second != said.second:
            said.second, said.lines = second, 0
        said.lines += 1
        if said.lines > A_SECOND:
            said.silent += 1
            return
        silent, said.silent = said.silent, 0
        log.warning(
            "section_missing",
            section=section.name,
            backend=section.backend,
            reason=reason.value,
            detail=section.detail[:MAX_DETAIL],
            outcome=section.outcome,
            attempts=len(section.attempts),
            route=ledger.route,
            request_id=ledger.request_id,
            not_said=silent,
        )
