"""The committed contract: current, described, and with the closed lists of ``shared.errors``."""

import subprocess
import sys
from pathlib import Path

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
    """Whoever opens GraphiQL need not guess."""
    silent = []
    for name, kind in contract.type_map.items():
        if name.startswith("__") or name in {"String", "Int", "Boolean", "Float", "ID"}:
            continue
        fields = kind.fields if isinstance(kind, GraphQLObjectType) else {}
        silent += [name] if not kind.description else []
        silent += [f"{name}.{field}" for field, value in fields.items() if not value.description]

    assert silent == []


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
    assert list(kind.fields) == list(Degraded.model_json_schema()["properties"])
    for owner in ("Dashboard", "Viewer"):
        assert str(contract.type_map[owner].fields["degraded"].type) == "[Degraded!]!"


def test_what_may_be_null_is_what_says_so(contract: GraphQLSchema) -> None:
    """Root fields, the section without an honest default, and items of lists."""
    types = {
        f"{owner}.{name}": str(field.type)
        for owner in ("Query", "Dashboard", "Order", "Alert", "Viewer")
        for name, field in contract.type_map[owner].fields.items()
    }

    assert {name: kind for name, kind in types.items() if not kind.endswith("!")} == {
        "Query.dashboard": "Dashboard",
        "Query.viewer": "Viewer",
        "Dashboard.alerts": "[Alert]",
    }
    assert types["Dashboard.recentOrders"] == "[Order]!"
