"""Sections: what an answer is made of and what it can live without, declared before any request.

Owns the declaration, its checks at import, and the entries of ``degraded``. How sections are fetched is ``fanout.py``.

    class HomeSections(Sections):
        profile = required(PROFILE)
        offers = optional(OFFERS, default=())
        alerts = nullable(ALERTS, stale_for=timedelta(minutes=5))
        orders = optional(ORDERS_IN, default=(), given={"region": profile.of(lambda it: it.region)})
"""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, ClassVar, Final, Generic, Self, TypeVar, overload

from pydantic.alias_generators import to_camel

from shared.backends.backend import AnyCall, Call
from shared.errors import AnswerTooWide, CallError, ProblemCode, Reason, Source
from shared.shape import Shape

T = TypeVar("T")

# What clients are told when the backend did not say: time for a process to restart, and no poll storm.
RETRY_HINT: Final = timedelta(seconds=2)
# 4xx and wrong payloads do not mend themselves within a client's patience.
LASTING: Final = frozenset({Reason.REFUSED, Reason.INVALID})
# Names the answer itself uses.
RESERVED: Final = frozenset({"degraded", "declared", "parameters", "values"})


class Degraded(Shape, frozen=True):
    """One section that was not served fresh."""

    section: str
    reason: Reason
    source: Source
    age_seconds: int | None = None
    retry_after_seconds: int | None = None


def retry_hint(error: CallError) -> timedelta | None:
    """Return when it makes sense to ask again: the backend's word, a guess, or never."""
    lasting = error.reason in LASTING or isinstance(error, AnswerTooWide)
    return error.retry_after or (None if lasting else RETRY_HINT)


def degraded(section: "Section[Any]", error: CallError, source: Source, age: timedelta | None) -> Degraded:
    """Say that a section is not fresh."""
    hint = retry_hint(error)
    return Degraded(
        section=section.name,
        reason=error.reason,
        source=source,
        age_seconds=None if age is None else int(age.total_seconds()),
        retry_after_seconds=None if hint is None else math.ceil(hint.total_seconds()),
    )


class Given:
    """A parameter that another section's value gives; see ``Section.of``."""

    __slots__ = ("read", "section")

    def __init__(self, section: "Section[Any]", read: Callable[[Any], str]) -> None:
        self.section = section
        self.read = read


Refusals = Mapping[int, ProblemCode]
NONE_TOLD: Final[Refusals] = MappingProxyType({})
NOT_FOUND: Final = 404
Needs = Mapping[str, Given]
NOTHING_NEEDED: Final[Needs] = MappingProxyType({})


class Section(Generic[T]):
    """One part of an answer: the call that fills it, and what stands in when it is missing.

    ``fallback`` says what a declared gap looks like: ``default`` a value, ``none`` null. Required sections have none.
    ``subject`` marks the section whose 404 means that the thing asked for does not exist. ``given`` names parameters
    of the call that come from other sections: it is sent as soon as these are there, and is missing when they are.
    ``refusals`` are statuses of the backend that are the client's to hear, as the problem that each is.
    """

    def __init__(
        self,
        call: AnyCall,
        *,
        fallback: Source | None,
        default: Any = None,
        stale_for: timedelta | None = None,
        subject: bool = False,
        given: Needs = NOTHING_NEEDED,
        refusals: Refusals = NONE_TOLD,
    ) -> None:
        if unknown := given.keys() - call.parameters:
            raise TypeError(f"{call.template} has no parameter {', '.join(sorted(unknown))}")
        self.given = given
        self.refusals: Refusals = {NOT_FOUND: ProblemCode.NOT_FOUND, **refusals} if subject else refusals
        self.call = call
        self.fallback = fallback
        self.default = default
        self.stale_for = stale_for
        self.subject = subject
        self.attribute = ""
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        """Take the attribute's name; the answer's is its camelCase."""
        if self.name:
            raise TypeError(f"one section cannot fill two fields: {self.attribute!r} and {name!r}")
        self.attribute, self.name = name, to_camel(name)

    def of(self, read: Callable[[T], str]) -> Given:
        """Let a later section depend on this one: ``read`` takes one of its parameters out of this one's value."""
        return Given(self, read)

    @overload
    def __get__(self, obj: None, owner: type) -> Self: ...
    @overload
    def __get__(self, obj: "Sections", owner: type) -> T: ...
    def __get__(self, obj: "Sections | None", owner: type) -> Self | T:
        """On the class, the declaration; on what came back, the value."""
        if obj is None:
            return self
        value: T = obj.values[self.attribute]
        return value


def required(
    call: Call[T], *, subject: bool = False, given: Needs = NOTHING_NEEDED, refusals: Refusals = NONE_TOLD
) -> Section[T]:
    """Declare a section without which there is no answer."""
    return Section(call, fallback=None, subject=subject, given=given, refusals=refusals)


def optional(
    call: Call[T], *, default: T, stale_for: timedelta | None = None, subject: bool = False,
    given: Needs = NOTHING_NEEDED,
) -> Section[T]:  # fmt: skip
    """Declare a section that ``default`` can stand in for, or before it an older value no older than ``stale_for``."""
    return Section(call, fallback=Source.DEFAULT, default=default, stale_for=stale_for, subject=subject, given=given)


def nullable(
    call: Call[T], *, stale_for: timedelta | None = None, subject: bool = False, given: Needs = NOTHING_NEEDED
) -> Section[T | None]:
    """Declare a section that is null when it cannot be served: for what no honest default exists."""
    return Section(call, fallback=Source.NONE, stale_for=stale_for, subject=subject, given=given)


class Sections:
    """What came back: one attribute a section, and ``degraded``. Subclasses declare; see the module's example."""

    declared: ClassVar[tuple[Section[Any], ...]] = ()
    parameters: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, values: Mapping[str, Any], gaps: tuple[Degraded, ...]) -> None:
        vars(self).update(values)  # Python finds these first, and calls no ``Section.__get__``
        self.values = values
        self.degraded = gaps

    def __init_subclass__(cls) -> None:
        """Collect the declaration and refuse one that cannot hold."""
        owners = reversed(cls.__mro__)  # what a parent declared comes first, and may be declared anew
        found = {name: value for owner in owners for name, value in vars(owner).items() if isinstance(value, Section)}
        sections = tuple(found.values())
        names = [section.name for section in sections]
        if twice := {name for name in names if names.count(name) > 1}:
            raise TypeError(f"{cls.__name__}: two sections for one field: {', '.join(sorted(twice))}")
        if taken := RESERVED.intersection(names):
            raise TypeError(f"{cls.__name__}: the answer itself uses the name {', '.join(sorted(taken))}")
        # An earlier line is all that a section can name, so there is no cycle; but a subclass may declare it anew.
        if lost := {one.attribute for one in sections for need in one.given.values() if need.section not in sections}:
            raise TypeError(f"{cls.__name__}: {', '.join(sorted(lost))} depends on a section that is not in it")
        cls.declared = sections
        cls.parameters = frozenset().union(*(one.call.parameters - one.given.keys() for one in sections))


def declared_screens() -> list[type[Sections]]:
    """Return every declaration of this process, by module and name."""
    found, left = [], list(Sections.__subclasses__())
    while left:
        screen = left.pop()
        left += screen.__subclasses__()
        found.append(screen)
    return sorted(found, key=lambda screen: (screen.__module__, screen.__name__))


def refuse_too_wide(screens: Iterable[type[Sections]], most: int) -> None:
    """Raise ValueError when a screen alone has more sections than one answer may have branches."""
    wide = [f"{one.__module__}.{one.__name__} has {len(one.declared)}" for one in screens if len(one.declared) > most]
    if wide:
        raise ValueError(
            f"FRONTAGE_MAX_BRANCHES={most}, but {', '.join(wide)} sections; split the screen or raise the setting"
        )
