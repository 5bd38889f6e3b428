"""The fan-out: sections of one answer at once, under the deadline and the budget of their request.

One request may start several (each root field of a GraphQL operation does): they share both.

On the fast path no task exists: every request is written at once, one future waits for all, one timer watches every
attempt. A coroutine is made only for a call whose first attempt failed and may be tried again. A section that depends
on another is sent the moment the other is there (``graph.py``).

    Deadline(Retry(Hedge(Breaker(Bulkhead(attempt)))))       the outermost is here, the others are in ``branch.py``
"""

import asyncio
from collections.abc import Collection, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final, TypeVar

import msgspec

from shared.backends.attempt import Attempt
from shared.backends.backend import Backends
from shared.backends.branch import Branch
from shared.backends.cache import CallKey
from shared.backends.coalesce import Seat
from shared.backends.composing import Composer, ends_the_answer
from shared.backends.content import Content
from shared.backends.graph import Graph, with_needs
from shared.backends.outbound import Outbound
from shared.backends.sections import Section, Sections
from shared.clock import Timer
from shared.errors import AnswerTooWide
from shared.resilience.budget import RequestBudget
from shared.resilience.deadline import TICK_S, Deadline
from shared.resilience.priority import Priority
from shared.telemetry.ledger import Ledger, read_origin

S = TypeVar("S", bound=Sections)

# Composing and encoding an answer of a hundred kilobytes takes a few milliseconds; the rest is for a busy loop.
COMPOSE_RESERVE: Final = timedelta(milliseconds=25)

NOTHING_SENT: Final[Mapping[str, Content]] = MappingProxyType({})


class Caller(msgspec.Struct, frozen=True, gc=False):
    """For whom a fan-out runs: the identity scope of everything remembered, the credential to pass on, the rank."""

    scope: str
    authorization: str | None = None
    priority: Priority = Priority.USER


async def fan_out(
    sections: type[S],
    *,
    backends: Backends,
    deadline: Deadline,
    caller: Caller,
    ledger: Ledger,
    parameters: Mapping[str, str],
    only: Collection[str] | None = None,
    budget: RequestBudget | None = None,
    contents: Mapping[str, Content] = NOTHING_SENT,
) -> S:
    """Fetch the declared sections (or those whose attribute is in ``only``) and return what came back.

    ``budget`` is what the request may still spend; without one, this fan-out is all that it does. ``contents`` are
    what writes send, by their section's attribute.

    Returns when all sections are there, a required one has failed, or the deadline is near. Raises SectionUnavailable
    for a missing required section and ProblemError(NOT_FOUND) when the subject does not exist. When cancelled, gives
    up every attempt at once: the backends see their connections close.
    """
    asked = _asked(sections, parameters, only)
    budget = budget or backends.new_budget()
    running = FanOut(asked, backends, deadline.earlier(COMPOSE_RESERVE), caller, ledger, parameters, budget, contents)
    try:
        running.start()
        await running.finished
    finally:
        running.close()
    composer = Composer()
    composer.judge(running.branches)
    running.branches.clear()  # each knows the whole: without this, only the collector would free them
    if composer.gaps:
        said = ",".join(f"{gap.section}:{gap.reason}:{gap.source}" for gap in composer.gaps)
        ledger.degraded = f"{ledger.degraded},{said}" if ledger.degraded else said
    unasked = {one.attribute: one.default for one in sections.declared if one not in asked and one.fallback}
    return sections({**unasked, **composer.values}, tuple(composer.gaps))


def _asked(sections: type[S], parameters: Mapping[str, str], only: Collection[str] | None) -> list[Section[Any]]:
    """Return the sections to fetch. Raises TypeError for a section or a parameter that is spelt wrong or left out."""
    if only is None and sections.parameters <= parameters.keys():
        return list(sections.declared)
    asked = [one for one in sections.declared if only is None or one.attribute in only]
    if only is not None and (unknown := set(only).difference(one.attribute for one in asked)):
        raise TypeError(f"{sections.__name__} has no section {', '.join(sorted(unknown))}")
    if any(one.given for one in asked):
        asked = with_needs(asked, sections.declared)
    if not sections.parameters <= parameters.keys():
        missing = {name for one in asked for name in one.call.parameters - one.given.keys()} - parameters.keys()
        if missing:
            raise TypeError(f"{sections.__name__} needs {', '.join(sorted(missing))}")
    return asked


class FanOut:
    """The live part: branches counted down to one future, attempts watched by one timer."""

    def __init__(
        self,
        asked: list[Section[Any]],
        backends: Backends,
        deadline: Deadline,
        caller: Caller,
        ledger: Ledger,
        parameters: Mapping[str, str],
        budget: RequestBudget,
        contents: Mapping[str, Content] = NOTHING_SENT,
        *,
        renewing: bool = False,
    ) -> None:
        self.backends = backends
        self.clock = backends.clock
        self.deadline = deadline
        self.scope = caller.scope
        self.authorization = caller.authorization
        self.priority = caller.priority
        self.renewing = renewing
        self.ledger = ledger
        self.outbound = Outbound(ledger, caller.authorization)
        self.parameters = parameters
        self.budget = budget
        self.contents = contents
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        now_s = self.clock.now_s()
        self.branches = [Branch(self, section, now_s) for section in asked]
        dependent = [section for section in asked if section.given]
        self._graph = Graph(self.branches, parameters) if dependent else None
        self._left = len(asked)
        self._watched: list[Attempt | Seat] = []
        self._timer: Timer | None = None
        self._wake_s = float("inf")

    def start(self) -> None:
        """Write every request; none after a required one was rejected, for then there will be no answer."""
        if not self.branches:
            self.finished.set_result(None)
        room = self.budget.take_branches(len(self.branches))
        if room < len(self.branches):
            self._leave_out(room)
        for branch in self.branches:
            if self.finished.done():
                break
            if not branch.section.given and branch.outcome is None:
                branch.start(self.parameters)

    def _leave_out(self, room: int) -> None:
        """Reject what the answer has no room for: what it can do without first, and of that what stands last."""
        ranked = sorted(self.branches, key=lambda branch: branch.section.fallback is not None)
        self.ledger.left_out += len(ranked) - room
        for branch in ranked[room:]:
            branch.miss(AnswerTooWide(branch.section.call.backend.name))

    def watch(self, attempt: Attempt | Seat) -> None:
        """End this attempt when it is due."""
        self._watched.append(attempt)
        if attempt.due_s < self._wake_s - TICK_S:
            self._wake_at(attempt.due_s)

    def settled(self, branch: Branch) -> None:
        """Count a branch down; one without which there is no answer ends the whole fan-out, others let more begin."""
        self._left -= 1
        error = branch.outcome.error if branch.outcome is not None else None
        if self._left == 0 or (error is not None and ends_the_answer(branch.section, error)):
            if not self.finished.done():
                self.finished.set_result(None)
        elif self._graph is not None and not self.finished.done():
            self._graph.settled(branch)

    def renew(self, section: Section[Any], key: CallKey, parameters: Mapping[str, str]) -> None:
        """Fetch what is remembered anew, in a fan-out of its own that nobody waits for; once at a time."""
        renewals, now = self.backends.renewals, self.clock.now_s()
        if key in renewals:
            return
        # Beyond the attempt's own timeout: an attempt that the deadline ended would say nothing about its backend.
        policy = section.call.backend.policy
        deadline = Deadline.after(policy.attempt_timeout + policy.bulkhead.max_wait + COMPOSE_RESERVE, now)
        ledger = Ledger(read_origin(None, "", 0.0), self.ledger.method, now)
        # Nobody waits for it, so it is the first to go when there is too much to do.
        caller = Caller(scope=self.scope, authorization=self.authorization, priority=Priority.REFRESH)
        # Not tried again, nor hedged: the next reader begins another, and until then the older answer serves.
        once = RequestBudget(retries=0)
        running = FanOut([section], self.backends, deadline, caller, ledger, parameters, once, renewing=True)
        renewals[key] = running

        def over(_: asyncio.Future[None]) -> None:
            running.close()
            renewals.pop(key, None)

        running.finished.add_done_callback(over)
        running.branches[0].start(parameters)

    def _wake_at(self, moment_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._wake_s = moment_s
        self._timer = self.clock.call_later(max(0.0, moment_s - self.clock.now_s()), self._wake)

    def _wake(self) -> None:
        now = self.clock.now_s()
        self._timer, self._wake_s = None, float("inf")
        due = [one for one in self._watched if not one.over and one.due_s <= now + TICK_S]
        self._watched = [one for one in self._watched if not one.over and one.due_s > now + TICK_S]
        for attempt in due:
            attempt.expire(late=self.deadline.at_s - attempt.due_s <= TICK_S)
        if self.deadline.passed(now):
            for branch in self.branches:
                branch.give_up()
        elif self._watched and not self.finished.done():
            self._wake_at(min(attempt.due_s for attempt in self._watched))

    def close(self) -> None:
        """Give up whatever is still under way; what was under way is aborted now and reaped by the loop."""
        if self._timer is not None:
            self._timer.cancel()
        self._watched.clear()
        for branch in self.branches:
            branch.close()
