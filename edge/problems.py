"""What is wrong with an ``edge.yaml``, where, and what to do about it.

Owns the finding's shape and how it is printed. Not to be confused with an RFC 9457 problem, which is an answer.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, NamedTuple


class Place(NamedTuple):
    """A line of a file, as editors and terminals understand it."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


# What was made by code and not read from a file, e.g. a default.
NOWHERE: Final = Place("<default>", 0)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding: which rule, where, what stands there, and the remedy."""

    place: Place
    rule: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}; {self.remedy} [{self.rule}]"


def suggestion(wrong: str, known: list[str], *, otherwise: str = "remove it") -> str:
    """Say which known name was probably meant, or list them all."""
    near = get_close_matches(wrong, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"use one of: {', '.join(sorted(known))}" if known else otherwise
