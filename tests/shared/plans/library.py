"""A schema that has everything a plan must say, and that goes wrong in every way a resolver can.

What a resolver gives depends on the seed in the context and on its path, so that two executions of one operation meet
the same values and the same faults. ``Later`` is something to wait for that nobody need await.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.extensions import FieldExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types.unset import UNSET


class Later:
    """A value that has to be waited for, some turns of the loop."""

    def __init__(self, value: Any, turns: int) -> None:
        self._value, self._turns = value, turns

    def __repr__(self) -> str:
        return "later"

    def __await__(self) -> Generator[Any, None, Any]:
        for _ in range(self._turns):
            yield from asyncio.sleep(0).__await__()
        if isinstance(self._value, Exception):
            raise self._value
        return self._value


@dataclass
class World:
    """One execution: its seed, how many of a hundred values are faults, and how many have to be waited for."""

    seed: int
    faults: int = 0
    waits: int = 0

    def dice(self, info: strawberry.Info) -> random.Random:
        keys, path = [], info.path
        while path is not None:
            keys.append(path.key)
            path = path.prev
        return random.Random(f"{self.seed} {keys} {info.field_name}")


class Genre(Enum):
    NOVEL = "novel"
    POEM = "poem"
    ESSAY = strawberry.enum_value("essay", deprecation_reason="Nobody writes them.")


strawberry.enum(Genre)


def _odd(value: Any) -> Any:
    if value == 13:
        raise ValueError("thirteen cannot be said")
    return None if value == 14 else value


Odd = NewType("Odd", int)
ODD = strawberry.scalar(name="Odd", serialize=_odd, parse_value=lambda value: value)

FAULTS = (
    lambda dice: None,
    lambda dice: ValueError(f"fault {dice.randrange(3)}"),
    lambda dice: GraphQLError("said as GraphQL does"),
    lambda dice: object,
    lambda dice: 2**40,
    lambda dice: float("nan"),
    lambda dice: "text",
    lambda dice: [],
    lambda dice: {"a": 1},
    lambda dice: 13,
    lambda dice: 14,
    lambda dice: 7,
    lambda dice: Genre.POEM,
    lambda dice: True,
)


def maybe(world: World, dice: random.Random, value: Any) -> Any:
    """Return the value, or a fault in its place, now or later."""
    if dice.randrange(100) < world.faults:
        value = dice.choice(FAULTS)(dice)
    if dice.randrange(100) < world.waits:
        return Later(value, dice.randrange(4))
    return value


@strawberry.interface
class Node:
    id: strawberry.ID


@strawberry.interface
class Named(Node):
    name: str

    @strawberry.field
    def shout(self, info: strawberry.Info, times: int = 1) -> str:
        return maybe(info.context, info.context.dice(info), str(self.name) * times)


@strawberry.type
class Author(Named):
    born: datetime | None
    worth: Decimal
    books: list["Book"]
    best: Annotated["Work", strawberry.lazy(__name__)] | None

    @strawberry.field
    async def friends(self, info: strawberry.Info, first: int = 2) -> list["Author | None"] | None:
        dice = info.context.dice(info)
        await asyncio.sleep(0)
        return raised(maybe(info.context, dice, [author(info.context, dice, 1) for _ in range(min(first, 3))]))


@strawberry.type
class Book(Node):
    title: str
    genre: Genre
    pages: int | None
    price: float
    tags: list[str]
    grid: list[list[int | None]] | None
    sold: bool | None
    odd: Odd | None
    writer: Author | None
    others: list[Genre | None]

    @strawberry.field
    def sequel(self, info: strawberry.Info) -> "Book | None":
        dice = info.context.dice(info)
        return raised(maybe(info.context, dice, book(info.context, dice, 0)))

    @strawberry.field
    async def author(self, info: strawberry.Info) -> Author:
        dice = info.context.dice(info)
        for _ in range(dice.randrange(3)):
            await asyncio.sleep(0)
        return raised(maybe(info.context, dice, author(info.context, dice, 1)))

    @strawberry.field
    def title_in(self, language: str | None = None, *, upper: bool = False) -> str | None:
        return f"{language}:{upper}:{self.title}"


@strawberry.type
class Paper(Node):
    title: str | None
    issue: int
    authors: list[Author]


Work = Annotated[Book | Paper, strawberry.union("Work")]


@strawberry.input
class Range:
    low: int = 0
    high: int | None = 9
    genres: list[Genre] = strawberry.field(default_factory=lambda: [Genre.POEM])
    inner: "Range | None" = None


class Upper(FieldExtension):
    """Has its say on what a resolver returns."""

    def resolve(self, next_: Any, source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        said = next_(source, info, **kwargs)
        return said.upper() if isinstance(said, str) else said


def raised(value: Any) -> Any:
    """Raise what is an exception, half of the ways to fail; the other half is to return it."""
    if isinstance(value, ValueError):
        raise value
    return value


def author(world: World, dice: random.Random, depth: int) -> Author:
    return Author(
        id=maybe(world, dice, strawberry.ID(str(dice.randrange(99)))),
        name=maybe(world, dice, dice.choice(["Ada", "Łucja 🚀", ""])),
        born=maybe(world, dice, datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=dice.randrange(99))),
        worth=maybe(world, dice, Decimal(dice.randrange(999)) / 100),
        books=maybe(world, dice, [maybe(world, dice, book(world, dice, depth - 1)) for _ in range(2 * depth)]),
        best=maybe(world, dice, dice.choice([book, paper])(world, dice, 0) if depth else None),
    )


def book(world: World, dice: random.Random, depth: int) -> Book:
    return Book(
        id=maybe(world, dice, strawberry.ID(str(dice.randrange(99)))),
        title=maybe(world, dice, "A title"),
        genre=maybe(world, dice, dice.choice(list(Genre))),
        pages=maybe(world, dice, dice.choice([12, 300, None])),
        price=maybe(world, dice, dice.choice([1.5, 2, 0.1])),
        tags=maybe(world, dice, [maybe(world, dice, "tag") for _ in range(2)]),
        grid=maybe(world, dice, [maybe(world, dice, [maybe(world, dice, n) for n in range(2)]) for _ in range(2)]),
        sold=maybe(world, dice, dice.choice([True, False, None])),
        odd=maybe(world, dice, Odd(dice.randrange(10))),
        writer=maybe(world, dice, author(world, dice, depth - 1) if depth else None),
        others=maybe(world, dice, tuple(dice.choices(list(Genre), k=2))),
    )


def paper(world: World, dice: random.Random, depth: int) -> Paper:
    return Paper(
        id=maybe(world, dice, strawberry.ID("p")),
        title=maybe(world, dice, None),
        issue=maybe(world, dice, dice.randrange(99)),
        authors=maybe(world, dice, [author(world, dice, depth - 1) for _ in range(depth)]),
    )


@strawberry.type
class Query:
    @strawberry.field
    async def author(self, info: strawberry.Info, ident: strawberry.ID | None = None) -> Author | None:
        dice = info.context.dice(info)
        return raised(maybe(info.context, dice, author(info.context, dice, 2)))

    @strawberry.field
    def book(self, info: strawberry.Info) -> Book:
        dice = info.context.dice(info)
        return raised(maybe(info.context, dice, book(info.context, dice, 2)))

    @strawberry.field
    async def works(self, info: strawberry.Info, genres: list[Genre] | None = None) -> list[Work | None]:
        dice = info.context.dice(info)
        await asyncio.sleep(0)
        return raised(maybe(info.context, dice, [dice.choice([book, paper])(info.context, dice, 1) for _ in "123"]))

    @strawberry.field
    def nodes(self, info: strawberry.Info, first: int = 3) -> list[Node]:
        dice = info.context.dice(info)
        makers = [book, paper, author]
        return raised(
            maybe(info.context, dice, [dice.choice(makers)(info.context, dice, 1) for _ in range(min(first, 5))])
        )

    @strawberry.field
    def named(self, info: strawberry.Info) -> Named | None:
        dice = info.context.dice(info)
        return maybe(info.context, dice, author(info.context, dice, 1))

    @strawberry.field(extensions=[Upper()])
    def echo(
        self, info: strawberry.Info, text: str, genre: Genre | None = Genre.NOVEL, within: Range | None = None,
        ids: list[strawberry.ID] | None = UNSET, ratio: float = 0.5,
    ) -> str:  # fmt: skip
        said = f"{text} {genre} {within} {ids} {ratio} {info.variable_values} {info.selected_fields[0].name}"
        return maybe(info.context, info.context.dice(info), said)

    @strawberry.field
    async def numbers(self, info: strawberry.Info) -> list[int]:
        return maybe(info.context, info.context.dice(info), iter([1, 2, 3]))

    @strawberry.field
    def stream(self, info: strawberry.Info) -> list[str | None]:
        async def texts() -> AsyncIterator[str]:
            yield "a"
            await asyncio.sleep(0)
            yield "b"

        return maybe(info.context, info.context.dice(info), texts())

    @strawberry.field
    def loaded(self, info: strawberry.Info) -> Author | None:
        """Give a future, as a loader does."""
        dice = info.context.dice(info)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_result, author(info.context, dice, 0))
        return future


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def rename(self, info: strawberry.Info, name: str = "x") -> Author | None:
        dice = info.context.dice(info)
        await asyncio.sleep(0)
        return raised(maybe(info.context, dice, author(info.context, dice, 1)))

    @strawberry.mutation
    def count(self, info: strawberry.Info) -> int:
        return maybe(info.context, info.context.dice(info), 1)


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self) -> AsyncIterator[int]:
        yield 1


def _moment(value: datetime) -> str:
    return value.isoformat()


schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[Author, Book, Paper],
    config=StrawberryConfig(
        scalar_map={
            Odd: ODD,
            datetime: strawberry.scalar(name="DateTime", serialize=_moment, parse_value=datetime.fromisoformat),
            Decimal: strawberry.scalar(name="Decimal", serialize=str, parse_value=Decimal),
        }
    ),
)
