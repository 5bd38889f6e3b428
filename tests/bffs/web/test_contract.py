"""The committed contract: current, described, and with the closed lists of ``shared.errors``."""

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from graphql import GraphQLEnumType, GraphQLObjectType, GraphQLSchema, build_schema

from bffs.web import __main__ as command
from shared.backends.sections import Degraded
from shared.errors import ProblemCode, Reason, Source

ROOT = Path(__file__).resolve().parents[3]
COMMITTED = ROOT / "bffs/web/schema.graphql"


@pytest.fixture(scope="module")
def contract() -> GraphQLSchema:
    """What the committed file says."""
    return build_schema(COMMITTED.read_text())


def test_the_committed_schema_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    """``make contracts`` was run after the last change of the surface."""
    assert command.main(["contract"]) == 0

    assert capsys.readouterr().out == COMMITTED.read_text()


def test_the_contract_needs_no_environment() -> None:
    """It prints from a bare checkout, byte by byte the same, and says nothing else."""
    printed = subprocess.run(
        [sys.executable, "-W", "error", "-m", "bffs.web", "contract"], cwd=ROOT, env={}, check=True, capture_output=True
    )

    assert printed.stdout == COMMITTED.read_bytes()
    assert printed.stderr == b""


def test_an_unknown_argument_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2 and the usage."""
    assert command.main(["contracts"]) == 2
    assert "usage" in capsys.readouterr().err


def test_every_type_and_field_is_described(contract: GraphQLSchema) -> None:
    """Whoever opens GraphiQL need not guess: types, fields, arguments, inputs, directives."""
    silent = []
    for name, kind in contract.type_map.items():
        if name.startswith("__") or name in {"String", "Int", "Boolean", "Float", "ID"}:
            continue
        silent += [name] if not kind.description else []
        for field, value in getattr(kind, "fields", {}).items():
            silent += [f"{name}.{field}"] if not value.description else []
            for argument, about in getattr(value, "args", {}).items():
                silent += [f"{name}.{field}({argument})"] if not about.description else []
    silent += [f"@{one.name}" for one in contract.directives if not one.description]

    assert silent == []


def test_what_is_deprecated_says_what_to_use(contract: GraphQLSchema) -> None:
    """A reason names what stands in its place, and that is there, in the same type."""
    found = {
        f"{name}.{field}": (value.deprecation_reason, set(kind.fields))
        for name, kind in contract.type_map.items()
        for field, value in getattr(kind, "fields", {}).items()
        if value.deprecation_reason is not None
    }

    assert found.keys() == {"Viewer.userId"}
    for reason, beside in found.values():
        assert set(re.findall(r"`(\w+)`", reason)) & beside, reason


def test_every_node_has_an_id_of_its_own(contract: GraphQLSchema) -> None:
    """Beside the one that the phone knows it by, too."""
    nodes = contract.get_possible_types(contract.type_map["Node"])

    assert {one.name for one in nodes} == {"Viewer", "Order", "Alert", "Product"}
    for one in nodes:
        assert [str(one.fields[name].type) for name in ("id", "nodeId")] == ["ID!", "ID!"]


@pytest.mark.parametrize("closed", [Reason, Source, ProblemCode], ids=lambda one: one.__name__)
def test_closed_lists_are_in_the_contract(contract: GraphQLSchema, closed: type) -> None:
    """Spelt as REST spells them."""
    kind = contract.type_map[closed.__name__]

    assert isinstance(kind, GraphQLEnumType)
    assert list(kind.values) == [one.value for one in closed]


def test_degraded_is_the_same_as_in_rest(contract: GraphQLSchema) -> None:
    """The same names, and a field of each type that has sections, never null."""
    kind = contract.type_map["Degraded"]

    assert isinstance(kind, GraphQLObjectType)
    assert list(kind.fields) == [one.encode_name for one in msgspec.structs.fields(Degraded)]
    for owner in ("Dashboard", "Viewer"):
        assert str(contract.type_map[owner].fields["degraded"].type) == "[Degraded!]!"


def test_what_may_be_null_is_what_says_so(contract: GraphQLSchema) -> None:
    """Root fields, the section without an honest default, what a loader brings, and items of lists."""
    types = {
        f"{owner}.{name}": str(field.type)
        for owner in ("Query", "Dashboard", "Order", "Alert", "Viewer")
        for name, field in contract.type_map[owner].fields.items()
    }

    assert {name: kind for name, kind in types.items() if not kind.endswith("!")} == {
        "Query.dashboard": "Dashboard",
        "Query.viewer": "Viewer",
        "Query.orders": "OrderConnection",
        "Query.order": "Order",
        "Query.alerts": "AlertConnection",
        "Query.node": "Node",
        "Dashboard.alerts": "[Alert]",
        "Order.lines": "[OrderLine]",
        "Order.customer": "Customer",
        "Alert.readAt": "DateTime",
        "Viewer.email": "String",
    }
    assert types["Dashboard.recentOrders"] == "[Order]!"
