"""What a screen can cost at worst, told from its declaration alone: no call is made.

Owns the arithmetic over ``Sections`` and their policies, and the judgement whether they fit into a deadline. Each BFF
prints it for its own screens: ``python -m bffs.mobile explain``.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final, NamedTuple

from shared.backends.backend import AnyCall
from shared.backends.fanout import COMPOSE_RESERVE
from shared.backends.fragment import deadline_of, retries_elsewhere, unreadable_timeouts
from shared.backends.sections import Section, Sections, declared_screens
from shared.resilience.budget import BRANCHES_PER_REQUEST, RETRIES_PER_REQUEST
from shared.resilience.deadline import TICK_S
from shared.resilience.retry import RetryPolicy

MS: Final = timedelta(milliseconds=1)
TICK: Final = timedelta(seconds=TICK_S)


class BranchCost(NamedTuple):
    """One section: how it is filled, what stands in, and what it can cost."""

    section: str
    call: str
    stands_in: str
    memory: str
    attempts: int
    longest: timedelta


class ScreenCost(NamedTuple):
    """One screen under one deadline."""

    name: str
    deadline: timedelta
    branches: tuple[BranchCost, ...]
    longest: timedelta
    most_calls: int
    problems: tuple[str, ...]


def attempts_of(call: AnyCall) -> int:
    """Return how often one call may be sent on purpose: a call that is not idempotent has one attempt."""
    return call.backend.policy.retry.max_attempts if call.idempotent else 1


def _extra(call: AnyCall) -> int:
    hedge = call.idempotent and call.backend.policy.hedge is not None
    return attempts_of(call) - 1 + hedge


def longest_of(call: AnyCall) -> timedelta:
    """Return the time of all attempts at their timeouts, each after its longest wait for a permit, and of the waits."""
    attempts, policy = attempts_of(call), call.backend.policy
    waits = sum((longest_wait(policy.retry, number) for number in range(1, attempts)), timedelta(0))
    queue = policy.bulkhead.max_wait if policy.bulkhead.max_waiting else timedelta(0)
    return attempts * (queue + policy.attempt_timeout) + waits


def longest_wait(policy: RetryPolicy, attempt: int) -> timedelta:
    """Return the upper end of the jitter after an attempt. Retry-After may say more, but never past a deadline."""
    doubled_s = policy.first_wait.total_seconds() * 2.0 ** min(attempt - 1, 64)
    return timedelta(seconds=min(policy.longest_wait.total_seconds(), doubled_s))


def explain(screen: type[Sections], deadline: timedelta) -> ScreenCost:
    """Return what a screen can cost under a deadline, and what is wrong with that."""
    branches = tuple(_branch(one, _after(one) + longest_of(one.call)) for one in screen.declared)
    # Hedges are paid from the same budget as retries; what is renewed behind the answer is sent once.
    retries = min(RETRIES_PER_REQUEST, sum(_extra(one.call) for one in screen.declared))
    problems = tuple(_problems(screen, deadline))
    longest = min(deadline, max((one.longest for one in branches), default=timedelta(0)) + COMPOSE_RESERVE)
    return ScreenCost(screen.__name__, deadline, branches, longest, len(branches) + retries, problems)


def _after(section: Section[Any]) -> timedelta:
    """Return when a section can begin at the latest: when the last that it depends on is there."""
    needs = (need.section for need in section.given.values())
    return max((_after(one) + longest_of(one.call) for one in needs), default=timedelta(0))


def _branch(section: Section[Any], longest: timedelta) -> BranchCost:
    call = section.call
    memory = [f"stale up to {_ms(section.stale_for)}"] if section.stale_for is not None else []
    memory += ["public" if call.public else "private"] if call.cache is not None else []
    return BranchCost(
        section.name,
        f"{call.method} {call.backend.name} {call.template}",
        section.fallback.value if section.fallback is not None else "required",
        ", ".join(memory) or "none",
        attempts_of(call),
        longest,
    )


def _problems(screen: type[Sections], deadline: timedelta) -> Iterator[str]:
    time = deadline - COMPOSE_RESERVE
    if len(screen.declared) > BRANCHES_PER_REQUEST:
        wide = f"{len(screen.declared)} sections, but one answer has at most {BRANCHES_PER_REQUEST} branches"
        yield f"{screen.__name__}: {wide}; split the screen"
    for section in screen.declared:
        call, place = section.call, f"{screen.__name__}.{section.attribute}"
        name, timeout, before = call.backend.name, call.backend.policy.attempt_timeout, _after(section)
        longest = before + longest_of(call)
        if timeout + TICK >= time:  # that near, the end of an attempt is the end of the whole
            yield (
                f"{place}: {name}'s attempt timeout of {_ms(timeout)} is not below the {_ms(time)} that the deadline "
                "leaves, so its silence never times an attempt out and never opens its breaker; shorten it"
            )
        elif longest > time:
            after = f" after {_ms(before)}" if before else ""
            yield (
                f"{place}: {attempts_of(call)} attempts at {name}{after} may take {_ms(longest)}, but the deadline "
                f"leaves {_ms(time)}; shorten its attempt timeout or its attempts"
            )
        if call.backend.retries and (extra := _extra(call)):
            yield (
                f"{place}: {name} retries by itself, so each of up to {1 + extra} calls of ours becomes several there; "
                "give it retry=RetryPolicy(max_attempts=1) and no hedge"
            )


def screens_of(package: str) -> list[type[Sections]]:
    """Return every screen declared in the modules of ``package`` that are imported."""
    return [screen for screen in declared_screens() if screen.__module__.startswith(f"{package}.")]


def report(package: str, fragment: str) -> tuple[str, bool]:
    """Return what a person reads of all screens of a BFF behind its ``edge.yaml``, and whether all is well."""
    costs = [explain(screen, deadline_of(fragment)) for screen in screens_of(package)]
    problems = [problem for cost in costs for problem in cost.problems]
    problems += [*unreadable_timeouts(fragment), *retries_elsewhere(fragment)]
    if not costs:
        problems.append(f"{package} declares no screen")
    lines = [line for cost in costs for line in _lines(cost)]
    lines.append(
        f"one request, however many of these it asks for: at most {BRANCHES_PER_REQUEST} branches "
        f"(FRONTAGE_MAX_BRANCHES) and {RETRIES_PER_REQUEST} retries or hedges in all"
    )
    lines += [f"problem: {problem}" for problem in problems]
    return "\n".join(lines) + "\n", not problems


def _lines(cost: ScreenCost) -> Iterator[str]:
    yield f"{cost.name}: at worst {_ms(cost.longest)} of {_ms(cost.deadline)}, and {cost.most_calls} backend calls"
    for one in cost.branches:
        yield f"  {one.section:<13} {one.call}"
        yield f"  {'':<13} {one.attempts} attempts, {_ms(one.longest)}; missing: {one.stands_in}; memory: {one.memory}"


def _ms(time: timedelta) -> str:
    return f"{time / MS:,.0f} ms"
