"""Which sections wait for which: a small graph, walked as fast as its values come in.

Owns when a dependent section may begin, with which parameters, and what it misses when what it needs is missing.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.backends.branch import Branch
from shared.backends.judging import NOTHING
from shared.backends.sections import Section
from shared.errors import BackendInvalid, CallError


def with_needs(asked: Iterable[Section[Any]], declared: Iterable[Section[Any]]) -> list[Section[Any]]:
    """Return the sections asked for and all that they depend on, in the order of their declaration."""
    wanted, left = set(asked), list(asked)
    while left:
        needed = {need.section for need in left.pop().given.values()} - wanted
        wanted |= needed
        left += needed
    return [one for one in declared if one in wanted]


class Graph:
    """The dependent branches of one fan-out that have not begun."""

    __slots__ = ("_by_section", "_parameters", "_waiting")

    def __init__(self, branches: list[Branch], parameters: Mapping[str, str]) -> None:
        self._by_section = {branch.section: branch for branch in branches}
        self._waiting = [branch for branch in branches if branch.section.given]
        for branch in self._waiting:
            needed = dict.fromkeys(need.section for need in branch.section.given.values())
            branch.record.needs = [self._by_section[one].record for one in needed]
        self._parameters = parameters

    def settled(self, needed: Branch) -> None:
        """Begin whatever waited for this last; let miss at once what will never have what it needs."""
        for branch in [one for one in self._waiting if self._waits_for(one, needed)]:
            missing = _missing(needed)
            if missing is None and any(self._by_section[s].outcome is None for s in _needs(branch)):
                continue
            if branch in self._waiting:  # a section that it needed as well may have failed within this very loop
                self._waiting.remove(branch)
                self._begin(branch, missing)

    def _waits_for(self, branch: Branch, needed: Branch) -> bool:
        return branch.outcome is None and needed.section in _needs(branch)

    def _begin(self, branch: Branch, missing: CallError | None) -> None:
        """Start a branch, or let it miss. This runs inside a reply: whatever is wrong must end with an outcome."""
        if missing is None:
            try:
                branch.start({**self._parameters, **self._read(branch)})
            except Exception as broken:  # noqa: BLE001 - a reader's bug, or a value that is no parameter: its section's
                name = branch.section.call.backend.name
                missing = BackendInvalid(name, f"what it depends on gave no request: {type(broken).__name__}")
        if missing is not None:
            branch.miss(missing)

    def _read(self, branch: Branch) -> Mapping[str, str]:
        values = {name: (need, self._by_section[need.section].outcome) for name, need in branch.section.given.items()}
        return {name: need.read(outcome.value) for name, (need, outcome) in values.items() if outcome is not None}


def _needs(branch: Branch) -> set[Section[Any]]:
    return {need.section for need in branch.section.given.values()}


def _missing(needed: Branch) -> CallError | None:
    """Return why a branch gives nothing to those who need it: a stand-in is shown, but nothing is built on it."""
    outcome = needed.outcome
    if outcome is None or outcome.error is not None:
        return None if outcome is None else outcome.error
    backend = needed.section.call.backend.name
    return BackendInvalid(backend, "answered 204") if outcome.value is NOTHING else None
