"""What plans promise beyond equal answers: order, waiting, letting go, what resolvers are told, and bounds."""

import asyncio
import gc
import itertools
import linecache
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import strawberry
from graphql import GraphQLError, OperationDefinitionNode, get_introspection_query, parse, validate

from shared.plans.operation import MOST_PLANS, MOST_SELECTIONS, Operation
from tests.shared.plans import library
from tests.shared.plans.documents import documents
from tests.shared.plans.equality import difference


def operation(text: str, schema: strawberry.Schema = library.schema) -> Operation:
    """Return the operation of a valid document."""
    document = parse(text)
    assert not validate(schema._schema, document)
    (node,) = (one for one in document.definitions if isinstance(one, OperationDefinitionNode))
    return Operation(schema, document, node)


def schema_of(**fields: Callable[..., Any]) -> strawberry.Schema:
    """Return a schema whose root has these resolvers."""
    root = type("Query", (), {name: strawberry.field(resolver=resolver) for name, resolver in fields.items()})
    return strawberry.Schema(query=strawberry.type(root))


class Log(list[str]):
    """What happened, in order."""

    moved: asyncio.Event

    async def reaches(self, many: int) -> None:
        """Wait until so much has happened."""
        self.moved = asyncio.Event()
        while len(self) < many:
            await asyncio.wait_for(self.moved.wait(), 5)
            self.moved.clear()

    def step(self, name: str, until: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[str | None]]:
        async def resolver() -> str | None:
            self.append(f"{name} began")
            if hasattr(self, "moved"):
                self.moved.set()
            try:
                await until()
            except asyncio.CancelledError:
                await asyncio.sleep(0)
                self.append(f"{name} was cancelled")
                raise
            self.append(f"{name} ended")
            return name

        return resolver


# What is not compiled

NOT_COMPILED = {
    "introspection": (get_introspection_query(), "it asks for __schema"),
    "one_type": ('{ __type(name: "Book") { name } }', "it asks for __type"),
    "subscription": ("subscription { ticks }", "it is a subscription"),
    "a_fragment_far_below": (
        "{ ... on Query { ... { ...F } } } fragment F on Query { __schema { __typename } }", "it asks for __schema",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), NOT_COMPILED.values(), ids=NOT_COMPILED)
async def test_what_is_not_compiled_says_why(text: str, reason: str) -> None:
    """graphql-core executes it, and what it answers is the answer."""
    made = operation(text)

    assert made.not_compiled == reason
    if not text.startswith("subscription"):
        assert difference(await made.execute(), await made.execute_on_core()) is None


async def test_an_operation_of_very_many_selections_is_not_compiled() -> None:
    """Aliases that double at every level are one compiled function a level, so only real size counts."""
    doubled = "".join(f" fragment F{n} on Author {{ a: best {{ ...B{n} }} b: best {{ ...B{n} }} }}"
                      f" fragment B{n} on Book {{ writer {{ ...F{n + 1} }} }}" for n in range(20))  # fmt: skip
    begun = time.process_time()
    assert operation(f"{{ author {{ ...F0 }} }} {doubled} fragment F20 on Author {{ name }}").not_compiled is None
    assert time.process_time() - begun < 5

    wide = " ".join(f"a{n}: book {{ id writer {{ name }} }}" for n in range(MOST_SELECTIONS // 2 + 1))
    made = operation(f"{{ {wide} }}")
    assert made.not_compiled == "it has too many selections"
    assert len((await made.execute(context=library.World(1))).data) == MOST_SELECTIONS // 2 + 1


# Switches

SWITCHED = "query ({}) {{ author {{ {} ... on Author {{ born name }} }} }}"


async def test_each_way_of_the_switches_has_its_own_order_of_fields() -> None:
    """Where a key stands depends on which of its fields are asked for."""
    made = operation("query ($x: Boolean!) { author { name @include(if: $x) id born name shout @skip(if: $x) } }")

    for x, keys in ((True, ["name", "id", "born"]), (False, ["id", "born", "name", "shout"])):
        result = await made.execute({"x": x}, context=library.World(1))
        assert list(result.data["author"]) == keys
        assert difference(result, await made.execute_on_core({"x": x}, context=library.World(1))) is None


async def test_the_ways_that_are_compiled_are_bounded() -> None:
    """Sixteen ways through four switches: the first ones get plans, the rest graphql-core, all the right answer."""
    names = "abcd"
    declared = " ".join(f"${name}: Boolean!" for name in names)
    made = operation(SWITCHED.format(declared, " ".join(f"{name}: name @skip(if: ${name})" for name in names)))

    for ways in itertools.product((True, False), repeat=4):
        said = dict(zip(names, ways, strict=True))
        result = await made.execute(said, context=library.World(1))
        assert [name in result.data["author"] for name in names] == [not way for way in ways]
    assert len(made._plans) == MOST_PLANS


async def test_a_switch_that_is_null_is_an_error_as_ever() -> None:
    """A boolean with a default may be sent as null, and then decides nothing."""
    made = operation("query ($x: Boolean = true) { author { id name @include(if: $x) } }")

    for variables in ({"x": None}, {}, {"x": "no"}):
        context = library.World(1)
        ours, cores = (
            await made.execute(variables, context=context),
            await made.execute_on_core(variables, context=context),
        )
        assert difference(ours, cores) is None


# Order, waiting, letting go


async def test_root_fields_run_side_by_side() -> None:
    """All of them begin before any of them ends."""
    log, gate = Log(), asyncio.Event()

    async def opened() -> None:
        if len(log) == 3:
            gate.set()
        await gate.wait()

    made = operation("{ a b c }", schema_of(a=log.step("a", opened), b=log.step("b", opened), c=log.step("c", opened)))
    result = await made.execute()

    assert list(result.data.items()) == [("a", "a"), ("b", "b"), ("c", "c")]
    assert log[:3] == ["a began", "b began", "c began"]


async def test_a_field_goes_on_while_its_siblings_wait() -> None:
    """What is below a quick field is not held up by a slow one beside it."""
    gate: asyncio.Event = asyncio.Event()

    @strawberry.type
    class Leaf:
        @strawberry.field
        async def opens(self) -> bool:
            gate.set()
            return True

    async def quick() -> Leaf:
        return Leaf()

    async def slow() -> bool:
        return await gate.wait()

    made = operation("{ slow quick { opens } }", schema_of(slow=slow, quick=quick))
    assert (await asyncio.wait_for(made.execute(), 5)).data == {"slow": True, "quick": {"opens": True}}


async def test_mutations_run_one_after_the_other() -> None:
    """Each has ended, with all below it, before the next begins; the first that makes the answer null is the last."""
    log = Log()

    @strawberry.type
    class Done:
        name: strawberry.Private[str]

        @strawberry.field
        async def inner(self) -> str | None:
            return await log.step(f"{self.name}.inner", lambda: asyncio.sleep(0))()

    async def step(name: str, fails: bool = False) -> Done:  # noqa: FBT002 - an argument of the graph
        await log.step(name, lambda: asyncio.sleep(0))()
        if fails:
            raise ValueError(name)
        return Done(name=name)

    @strawberry.type
    class Query:
        here: bool

    mutation = strawberry.type(type("Mutation", (), {"step": strawberry.mutation(resolver=step)}))
    schema = strawberry.Schema(query=Query, mutation=mutation)
    first, second = 'a: step(name: "a") { inner }', 'b: step(name: "b") { inner }'

    await operation(f"mutation {{ {first} {second} }}", schema).execute()
    assert log == [f"{name} {what}" for name in ("a", "a.inner", "b", "b.inner") for what in ("began", "ended")]

    log.clear()
    failing = operation(f'mutation {{ {first} x: step(name: "x", fails: true) {{ inner }} {second} }}', schema)
    result = await failing.execute()
    assert result.data is None
    assert log[-1] == "x ended"


async def test_a_cancelled_operation_cancels_what_it_started_and_waits_for_its_end() -> None:
    """As a deadline or a client that leaves does it; a future that others wait for is left alone."""
    log, forever = Log(), asyncio.Event()
    shared: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def loaded() -> str:
        return shared

    schema = schema_of(a=log.step("a", forever.wait), b=log.step("b", forever.wait), loaded=loaded)
    task = asyncio.create_task(operation("{ a b loaded }", schema).execute())
    await log.reaches(2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert log == ["a began", "b began", "a was cancelled", "b was cancelled"]
    assert not shared.cancelled()


async def test_a_single_field_is_cancelled_too() -> None:
    """The one that is awaited without a task of its own."""
    log, forever = Log(), asyncio.Event()
    task = asyncio.create_task(operation("{ a }", schema_of(a=log.step("a", forever.wait))).execute())
    await log.reaches(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert log == ["a began", "a was cancelled"]


async def test_what_a_failure_made_null_is_not_waited_for() -> None:
    """Siblings below the null are cancelled, and ended, before the answer; those beside it go on."""
    log, forever, gate = Log(), asyncio.Event(), asyncio.Event()

    @strawberry.type
    class Pair:
        @strawberry.field
        async def fails(self) -> str:
            await asyncio.sleep(0)
            asyncio.get_running_loop().call_later(0.01, gate.set)
            raise ValueError("no")

        @strawberry.field
        async def hangs(self) -> str | None:
            return await log.step("hangs", forever.wait)()

    def pair() -> Pair | None:
        return Pair()

    schema = schema_of(pair=pair, beside=log.step("beside", gate.wait))
    result = await asyncio.wait_for(operation("{ pair { hangs fails } beside }", schema).execute(), 5)

    assert result.data == {"pair": None, "beside": "beside"}
    assert [error.path for error in result.errors] == [["pair", "fails"]]
    assert log == ["hangs began", "beside began", "hangs was cancelled", "beside ended"]


async def test_what_was_never_begun_is_let_go_without_a_word() -> None:
    """A plan leaves nothing behind that Python would warn of, whatever fails in it."""
    for number, made in enumerate(itertools.islice(documents(library.schema._schema, 3), 30)):
        await operation(made.text).execute(made.variables, context=library.World(number, 20, 40))
    gc.collect()  # here pytest would fail with "was never awaited"


async def test_a_resolver_that_is_cancelled_from_within_cancels_the_operation() -> None:
    """Cancellation is nobody's error to show."""

    async def gives_up() -> str | None:
        raise asyncio.CancelledError

    async def other() -> str | None:
        return "x"

    for text in ("{ gives_up: givesUp }", "{ givesUp other }"):
        with pytest.raises(asyncio.CancelledError):
            await operation(text, schema_of(gives_up=gives_up, other=other)).execute()


# What resolvers are told


async def test_resolvers_are_told_the_same() -> None:
    """``info`` has the same path, names, fields, variables and context as graphql-core's."""
    seen: list[Any] = []

    @strawberry.type
    class Leaf:
        @strawberry.field
        def told(self, info: strawberry.Info, n: int = 1) -> int:
            raw = info._raw_info
            seen.append((
                info.field_name, info.path, info.variable_values, info.context, info.root_value, info.operation,
                info.return_type, info.python_name, str(raw.parent_type), str(raw.return_type), raw.field_nodes,
                raw.fragments, raw.schema, info.selected_fields, info.query, info.input_extensions, raw.is_awaitable,
                raw._fields,
            ))  # fmt: skip
            return n

    def leaves(info: strawberry.Info) -> list[Leaf]:
        seen.append((info.selected_fields, info.path))
        return [Leaf(), Leaf()]

    made = operation(
        "query Q($n: Int) { all: leaves { x: told(n: $n) ...F } } fragment F on Leaf { x: told(n: $n) }",
        schema_of(leaves=leaves),
    )
    for execute in (made.execute, made.execute_on_core):
        await execute({"n": 2}, root="root", context="context")

    half = len(seen) // 2
    assert half == 3
    assert seen[:half] == seen[half:]


async def test_a_plain_resolver_gets_what_it_names() -> None:
    """By position or name, its parent or nothing; whatever Strawberry lets authors write."""

    @strawberry.type
    class Leaf:
        n: int

        @strawberry.field
        def by_self(self) -> int:
            return self.n

        @strawberry.field
        def by_root(root: "strawberry.Parent[Leaf]") -> int:  # noqa: N805 - Strawberry's other way
            return root.n

        @strawberry.field
        def by_info(self, info: strawberry.Info) -> str:
            return info.field_name

        @strawberry.field
        def by_nothing() -> int:  # type: ignore[misc]
            return 7

    def leaf() -> Leaf:
        return Leaf(n=3)

    result = await operation("{ leaf { n bySelf byRoot byInfo byNothing } }", schema_of(leaf=leaf)).execute()
    assert result.errors is None
    assert result.data == {"leaf": {"n": 3, "bySelf": 3, "byRoot": 3, "byInfo": "byInfo", "byNothing": 7}}


# Bounds, and what is left of a plan


async def test_a_plan_that_is_let_go_leaves_nothing() -> None:
    """Its source was kept for tracebacks only."""

    def kept() -> int:
        gc.collect()
        return sum(name.startswith("<plan ") for name in linecache.cache)

    before = kept()
    made = operation("{ author { name books { id } } }")
    await made.execute(context=library.World(1))
    assert kept() > before
    del made
    assert kept() == before


async def test_a_traceback_shows_the_plan() -> None:
    """Who looks for a bug in a property finds the line that read it."""

    @strawberry.type
    class Leaf:
        word: str

    class Broken:
        @property
        def word(self) -> str:
            raise ValueError("no word")

    def leaf() -> Leaf | None:
        return Broken()

    result = await operation("{ leaf { word } }", schema_of(leaf=leaf)).execute()
    (error,) = result.errors
    assert isinstance(error, GraphQLError)
    frames = [linecache.getline(one.co_filename, line).strip() for one, line in _frames(error.original_error)]
    assert "value = source.word" in frames


def _frames(error: BaseException) -> list[tuple[Any, int]]:
    trace, found = error.__traceback__, []
    while trace is not None:
        found.append((trace.tb_frame.f_code, trace.tb_lineno))
        trace = trace.tb_next
    return found


async def test_a_plan_takes_a_fraction_of_the_time() -> None:
    """A hundred objects of seven plain fields, in process time, the best of several."""

    @strawberry.type
    class Row:
        a: str
        b: str
        c: int
        d: float
        e: bool
        f: str | None
        g: strawberry.ID

    rows_made = [Row(a="a", b="b", c=1, d=1.5, e=True, f=None, g=strawberry.ID("1")) for _ in range(100)]

    def rows() -> list[Row]:
        return rows_made

    made = operation("{ rows { a b c d e f g } }", schema_of(rows=rows))

    async def best(execute: Callable[[], Awaitable[object]]) -> float:
        took = []
        for _ in range(5):
            begun = time.process_time()
            await execute()
            took.append(time.process_time() - begun)
        return min(took)

    assert await best(made.execute) < await best(made.execute_on_core) / 5
