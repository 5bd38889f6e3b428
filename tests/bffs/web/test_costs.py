"""What an operation costs: worked out by hand, a row each, on a schema made to have every case."""

from typing import Any

import pytest
import strawberry
from graphql import GraphQLList, GraphQLNonNull, GraphQLObjectType, get_named_type, is_composite_type

from bffs.web.costs import MOST_ITEMS, Cost, ListSize
from bffs.web.prepare import Preparer
from bffs.web.schema import schema
from tests.bffs.web.conftest import OpenWeb
from tests.bffs.web.web import BOTH, DASHBOARD, Web

PAGE = ListSize(assumed_size=20, slicing_arguments=["first"], sized_fields=["edges", "nodes"])


@strawberry.interface
class Thing:
    id: str


@strawberry.type
class Leaf(Thing):
    name: str = strawberry.field(directives=[Cost(weight=2)])


@strawberry.type
class Edge:
    cursor: str
    node: Leaf


@strawberry.type
class Connection:
    edges: list[Edge]
    nodes: list[Leaf]
    total: int


@strawberry.type
class Query:
    leaf: Leaf
    dear: Leaf = strawberry.field(directives=[Cost(weight=7)])
    few: list[Leaf] = strawberry.field(directives=[ListSize(assumed_size=3)])
    words: list[str] = strawberry.field(directives=[ListSize(assumed_size=3)])
    things: list[Thing] = strawberry.field(directives=[ListSize(assumed_size=2)])

    @strawberry.field(directives=[Cost(weight=1), PAGE])
    def page(self, first: int = 20) -> Connection:
        raise NotImplementedError


MADE_UP = strawberry.Schema(Query, types=[Leaf])
VARYING = "query ($n: Int%s) { page(first: $n) { nodes { id } } }"

CASES: dict[str, tuple[str, dict[str, Any], int]] = {
    "an_object": ("{ leaf { id } }", {}, 1),
    "a_field_with_a_weight": ("{ dear { id } }", {}, 7 + 1),
    "a_leaf_with_a_weight": ("{ leaf { name } }", {}, 1 + 2),
    "what_a_schema_says_of_itself": ("{ __typename leaf { __typename } }", {}, 1),
    "a_list": ("{ few { id } }", {}, 3),
    "a_list_of_dear_leaves": ("{ few { name } }", {}, 3 * (1 + 2)),
    "a_list_of_words": ("{ words }", {}, 0),
    "each_alias": ("{ a: dear { id } b: dear { id } }", {}, 2 * 8),
    "the_same_field_twice": ("{ dear { id } dear { name } }", {}, 7 + 1 + 2),
    "through_fragments": ("{ ...F ... { dear { id } } } fragment F on Query { dear { id } }", {}, 8),
    "a_type_that_it_may_be": ("{ things { id ... on Leaf { name } } }", {}, 2 * (1 + 2)),
    "a_page_that_is_assumed": ("{ page { nodes { id } } }", {}, 1 + 1 + 20),
    "a_page_of_five": ("{ page(first: 5) { nodes { id } } }", {}, 1 + 1 + 5),
    "edges_and_their_nodes": ("{ page(first: 5) { edges { cursor node { id } } total } }", {}, 1 + 1 + 5 * 2),
    "a_variable": (VARYING % "", {"n": 7}, 1 + 1 + 7),
    "a_variable_left_out": (VARYING % "", {}, 1 + 1 + 20),
    "a_variable_with_a_default": (VARYING % " = 4", {}, 1 + 1 + 4),
    "a_default_overruled": (VARYING % " = 4", {"n": 2}, 1 + 1 + 2),
    "null": (VARYING % "", {"n": None}, 1 + 1 + 20),
    "an_int_written_as_a_float": (VARYING % "", {"n": 5.0}, 1 + 1 + 5),
    "text": (VARYING % "", {"n": "9"}, 1 + 1 + 20),
    "true": (VARYING % "", {"n": True}, 1 + 1 + 20),
    "not_a_number": (VARYING % "", {"n": float("nan")}, 1 + 1 + 20),
    "below_zero": (VARYING % "", {"n": -5}, 1 + 1 + 20),
    "huge": (VARYING % "", {"n": 10**400}, 1 + 1 + MOST_ITEMS),
    "huge_in_the_text": ("{ page(first: 2147483647) { nodes { id } } }", {}, 1 + 1 + MOST_ITEMS),
    "left_out_by_a_variable": ("query ($n: Boolean!) { dear @skip(if: $n) { id } }", {"n": True}, 8),
}


@pytest.mark.parametrize(("text", "variables", "cost"), CASES.values(), ids=CASES)
def test_the_cost_of_an_operation(text: str, variables: dict, cost: int) -> None:
    """As worked out beside it."""
    assert Preparer(MADE_UP, open_schema=True).prepare(text).cost.of(variables) == cost


def test_every_list_says_its_size() -> None:
    """A list of objects whose size nobody declared would be charged by guess."""
    silent = []
    for name, kind in schema._schema.type_map.items():
        for field, definition in kind.fields.items() if isinstance(kind, GraphQLObjectType) else ():
            outer = definition.type.of_type if isinstance(definition.type, GraphQLNonNull) else definition.type
            if not isinstance(outer, GraphQLList) or name.startswith("__"):
                continue
            ours = definition.extensions["strawberry-definition"]
            sized_above = field in {"edges", "nodes"}
            if is_composite_type(get_named_type(outer)) and not sized_above:
                silent += [f"{name}.{field}"] if not any(isinstance(one, ListSize) for one in ours.directives) else []

    assert silent == []


async def test_the_answer_tells_what_it_cost(web: Web) -> None:
    """What was counted, and the most that this caller may ask for."""
    answer = (await web.query(BOTH)).json()

    assert answer["extensions"] == {"cost": {"operation": 3 + 1 + 20 + 1 + 1 + 1, "most": 1000}}


async def test_what_costs_too_much_is_not_begun(open_web: OpenWeb, backends) -> None:
    """Both numbers are told, no backend is asked; a caller of another class may spend more."""
    web = await open_web(explorer_most_cost=10, page_most_cost=2000)
    answer = await web.query(DASHBOARD)

    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "invalid_request"
    assert "may cost 30, and 10 is the most" in error["message"]
    assert backends.counts() == {}
    assert (await web.query("{ viewer { tier } }")).json()["extensions"] == {"cost": {"operation": 2, "most": 10}}
