"""From outcomes to an answer: what stands in for a missing section, and what ``degraded`` says of it.

Owns the partial-result rules (architecture §4), the same for REST and GraphQL: the section's declaration decides,
never the transport.
"""

from datetime import timedelta
from typing import Any

from shared.backends.branch import Branch
from shared.backends.failures import withdraws
from shared.backends.judging import NOTHING
from shared.backends.sections import Degraded, Section, degraded, retry_hint
from shared.errors import (
    BackendInvalid,
    BackendRefused,
    CallError,
    DeadlinePassed,
    ProblemCode,
    ProblemError,
    SectionUnavailable,
    Source,
)


def told_to_client(section: Section[Any], error: CallError | None) -> ProblemCode | None:
    """Return the problem that a refusal is for the client: that the thing asked for does not exist, or has changed."""
    return section.refusals.get(error.status) if section.refusals and isinstance(error, BackendRefused) else None


def ends_the_answer(section: Section[Any], error: CallError | None) -> bool:
    """Tell whether with this outcome there is nothing left to wait for."""
    return error is not None and (section.fallback is None or told_to_client(section, error) is not None)


class Composer:
    """Judges the branches of one fan-out."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.gaps: list[Degraded] = []

    def judge(self, branches: list[Branch]) -> None:
        """Fill ``values`` and ``gaps``. Raises SectionUnavailable or ProblemError when there is no answer.

        What explains most speaks first, so that the same outage gives the same answer whichever branch ended first.
        """
        if self._all_fresh(branches):
            return
        for branch in sorted(branches, key=_rank):
            error = self._error(branch)
            branch.record.outcome = "fresh" if error is None else self._stand_in(branch, error)
            if error is None:
                self._take(branch, branch.outcome.value if branch.outcome else None)

    def _all_fresh(self, branches: list[Branch]) -> bool:
        """Take the values, if all are plainly there, and tell whether they are: the usual case, without a ranking."""
        values: dict[str, Any] = {}
        for branch in branches:
            outcome = branch.outcome
            if outcome is None or outcome.error is not None or outcome.value is NOTHING:
                return False
            values[branch.section.attribute] = outcome.value
        for branch in branches:
            branch.record.outcome = "fresh"
        self.values = values
        return True

    def _error(self, branch: Branch) -> CallError | None:
        backend = branch.section.call.backend.name
        if branch.outcome is None:  # a required sibling ended the fan-out first
            return DeadlinePassed(backend)
        if branch.outcome.value is NOTHING and branch.section.fallback is None:
            return BackendInvalid(backend, "answered 204")  # a required section cannot be empty
        return branch.outcome.error

    def _take(self, branch: Branch, value: Any) -> None:
        """Use a fresh value. 204 says that there is nothing: an empty section, not a gap (field case M1)."""
        section = branch.section
        self.values[section.attribute] = section.default if value is NOTHING else value

    def _stand_in(self, branch: Branch, error: CallError) -> str:
        """Use an older value, the default, or null; return the outcome's name for the record."""
        section = branch.section
        branch.record.missing(error.reason, error.backend, error.detail)
        if (told := told_to_client(section, error)) is not None:
            branch.record.outcome = "failed"
            raise ProblemError(told)
        if section.fallback is None:
            branch.record.outcome = "failed"
            error.retry_after = retry_hint(error)
            raise SectionUnavailable(section.name, error)
        age, value = (None, None) if withdraws(error) else _older(branch)
        source = section.fallback if age is None else Source.STALE
        self.values[section.attribute] = section.default if age is None else value
        self.gaps.append(degraded(section, error, source, age))
        return source.value


def _older(branch: Branch) -> tuple[timedelta | None, Any]:
    stale_for, recall = branch.section.stale_for, branch.recall
    if stale_for is None or recall is None:
        return None, None
    return recall.older(stale_for) or (None, None)


def _rank(branch: Branch) -> int:
    """Order: what the client is told, a required section, one that nobody waited for any more, then the others."""
    error = branch.outcome.error if branch.outcome is not None else None
    if told_to_client(branch.section, error) is not None:
        return 0
    if branch.section.fallback is not None:
        return 3
    return 2 if branch.outcome is None else 1
