"""Plans against graphql-core: operations made up by the thousand, over a schema that goes wrong in every way."""

import itertools
from collections import Counter

import pytest
from graphql import parse

from shared.plans.operation import Operation
from tests.shared.plans.documents import documents
from tests.shared.plans.equality import difference, errors
from tests.shared.plans.library import World, schema

ROOTS = ("query", "query", "query", "mutation")
# How many of a hundred values are faults, and how many must be waited for.
WORLDS = ((0, 0), (3, 10), (15, 30), (40, 0), (0, 40))

# graphql-core lets go of what it made and never began, once something failed beside it.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


async def compare(seed: int, many: int) -> Counter[str]:
    """Execute so many operations both ways; return how often what was met. Any difference fails."""
    met: Counter[str] = Counter()
    for number, made in enumerate(itertools.islice(documents(schema._schema, seed, ROOTS), many)):
        document = parse(made.text)
        operation = Operation(schema, document, document.definitions[0])
        assert operation.not_compiled is None, f"{operation.not_compiled}: {made.text}"
        faults, waits = WORLDS[number % len(WORLDS)]
        cores = await operation.execute_on_core(made.variables, context=World(number, faults, waits))
        ours = await operation.execute(made.variables, context=World(number, faults, waits))
        if differs := difference(ours, cores):
            pytest.fail(f"{made.text}\n{made.variables}\nseed {seed}, number {number}: {differs}")
        met["failed"] += bool(ours.errors)
        met["nulled"] += bool(ours.errors) and ours.data is None
        met["not to the letter"] += errors(ours) != errors(cores)
    return met


@pytest.mark.timeout(300)
async def test_plans_answer_as_graphql_core_does() -> None:
    """Data byte for byte, errors by path, message and place; and the corpus is no easy one."""
    met = await compare(seed=20261125, many=120)

    assert met["failed"] > 30
    assert met["nulled"] > 5
    assert met["not to the letter"] < 10


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(4))
async def test_plans_answer_as_graphql_core_does_at_length(seed: int) -> None:
    """The same over 2,400 operations more."""
    met = await compare(seed=seed, many=600)

    assert met["failed"] > 150
    assert met["not to the letter"] < 20
