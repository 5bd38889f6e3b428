"""A write that needs more than one backend: which of its steps happened, said when not all did.

Owns the outcomes and the error that carries them to the client, as the problem's ``steps``.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from shared.backends.sections import Degraded
from shared.errors import PROBLEM_OF_REASON, ProblemError, Reason, SectionUnavailable


class Outcome(StrEnum):
    """What is known of a step. ``unknown``: it was asked for, and no answer came that says."""

    DONE = "done"
    NOT_DONE = "not_done"
    UNKNOWN = "unknown"
    NOT_STARTED = "not_started"


DETAIL: Final = "Not all of it is done: see `steps`. Send the same again, with the same key."
# With these the backend did nothing: it was not asked, or it said no.
NOTHING_HAPPENED: Final = frozenset({Reason.REJECTED, Reason.REFUSED})


class Step(BaseModel):
    """One step of a write."""

    model_config = ConfigDict(frozen=True)

    step: str
    outcome: Outcome


class WriteUnfinished(ProblemError):
    """Not all steps of a write are done. Sent again with the same key it goes on where it is."""

    def __init__(
        self, reason: Reason, section: str, retry_after: timedelta | None, outcomes: Mapping[str, Outcome]
    ) -> None:  # fmt: skip
        super().__init__(PROBLEM_OF_REASON[reason], DETAIL, section=section, retry_after=retry_after)
        self.steps = tuple(Step(step=name, outcome=outcome) for name, outcome in outcomes.items())


def outcome_of(reason: Reason) -> Outcome:
    """Return what is known of a step that failed so."""
    return Outcome.NOT_DONE if reason in NOTHING_HAPPENED else Outcome.UNKNOWN


def unfinished(failed: SectionUnavailable | Degraded, outcomes: Mapping[str, Outcome]) -> WriteUnfinished:
    """Return the error for a step that failed; ``outcomes`` are those of all steps, in their order."""
    if isinstance(failed, SectionUnavailable):
        return WriteUnfinished(failed.reason, failed.section or "", failed.retry_after, outcomes)
    wait = None if failed.retry_after_seconds is None else timedelta(seconds=failed.retry_after_seconds)
    return WriteUnfinished(failed.reason, failed.section, wait, outcomes)
