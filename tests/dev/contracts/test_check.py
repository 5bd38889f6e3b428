"""The check as a developer meets it: a tree with its commits, its shipped clients and its waivers."""

import contextlib
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dev.contracts.check import check, ship
from dev.contracts.command import judge
from dev.contracts.shipped import SelectionError, trimmed
from dev.contracts.waivers import WaiverError, read_waivers

ROOT = Path(__file__).resolve().parents[3]
OPENAPI = "bffs/mobile/openapi.json"
SDL = "bffs/web/schema.graphql"
WAIVER = """# 1. Orders lose their currency

Waives:
- `property-removed response Order.currency`

## Context

Every order is in euros.

## Decision

It goes.

## Consequences

Version 1.0 shows none.

## Alternatives

Waiting.
"""


def git(tree: Path, *command: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *command], cwd=tree, check=True, capture_output=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """This tree's contracts and clients, in a repository of their own."""
    for bff in ("mobile", "web"):
        shutil.copytree(ROOT / "bffs" / bff / "clients", tmp_path / "bffs" / bff / "clients")
    for file in (OPENAPI, SDL):
        shutil.copy(ROOT / file, tmp_path / file)
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    return tmp_path


def commit(tree: Path) -> None:
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "--allow-empty", "-m", "a state")


def edit_rest(tree: Path, edit: Any) -> None:
    document = json.loads((tree / OPENAPI).read_text())
    edit(document["components"]["schemas"])
    (tree / OPENAPI).write_text(json.dumps(document))


def without_currency(schemas: Any) -> None:
    del schemas["Order"]["properties"]["currency"]
    schemas["Order"]["required"].remove("currency")


class Said(NamedTuple):
    returncode: int
    stdout: str


def run(tree: Path, base: str | None = None) -> Said:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        code = judge(tree, base)
    return Said(code, out.getvalue())


def test_this_tree_breaks_nobody() -> None:
    """No breaking change without a waiver: against the commit before, and for every client that shipped."""
    assert [str(one) for verdict in check(ROOT) for one in verdict.broken] == []


def test_a_shipped_client_s_contract_is_complete() -> None:
    """Each selection has its contract and each contract its selection: otherwise a client is not looked after."""
    clients = [*ROOT.glob("bffs/*/clients/*")]
    rest = {one.name.removesuffix(".openapi.json") for one in clients if one.name.endswith(".openapi.json")}
    graph = {one.name.removesuffix(".schema.graphql") for one in clients if one.name.endswith(".schema.graphql")}

    assert rest
    assert graph
    assert {one.stem for one in clients if one.suffix == ".yaml"} == rest
    documents = {one.stem for one in clients if one.suffix == ".graphql" and not one.name.endswith(".schema.graphql")}
    assert documents == graph


def test_an_unchanged_tree_is_well(tree: Path) -> None:
    """Exit code 0, and it says against what it looked."""
    commit(tree)
    command = [sys.executable, "-m", "dev", "contract-check", "--root", str(tree)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0
    assert "mobile: against HEAD~1, and android-1.0, ios-1.0" in done.stdout
    assert "web: against HEAD~1, and web-1.0" in done.stdout


def test_a_breaking_change_names_the_field_and_its_readers(tree: Path) -> None:
    """Not yet committed, and still found; every client that reads the field is named, and no other."""
    edit_rest(tree, without_currency)
    done = run(tree)

    assert done.returncode == 1
    assert "mobile: against HEAD," in done.stdout
    assert (
        "  breaking  property-removed response Order.currency: it is gone in GET /mobile/v1/dashboard and 3 more; "
        "read by android-1.0, ios-1.0\n" in done.stdout
    )
    edit_rest(tree, lambda schemas: schemas["Alert"]["properties"].pop("message"))
    assert "response Alert.message: it is gone in GET /mobile/v1/dashboard; read by ios-1.0\n" in run(tree).stdout


def test_what_no_kept_client_reads_still_breaks(tree: Path) -> None:
    """There may be clients that nobody told us of."""
    edit_rest(tree, lambda schemas: schemas["ProfileScreen"]["properties"].pop("degraded"))
    done = run(tree)

    assert done.returncode == 1
    assert (
        "ProfileScreen.degraded: it is gone in GET /mobile/v1/profile and 1 more; read by no shipped client kept here"
        in done.stdout
    )


def test_after_two_more_commits_a_shipped_client_still_misses_its_field(tree: Path) -> None:
    """The commit before no longer shows it; the contract of the day it shipped does."""
    edit_rest(tree, without_currency)
    commit(tree)
    commit(tree)
    (verdict, _) = check(tree)

    assert [(one.key, one.clients) for one in verdict.broken] == [
        ("property-removed response Order.currency", ("android-1.0", "ios-1.0"))
    ]


def test_a_waiver_allows_what_it_names_and_nothing_else(tree: Path) -> None:
    """The change stays in the report, with the file that allows it."""
    waivers = tree / "bffs/mobile/waivers"
    waivers.mkdir()
    (waivers / "0001-no-currency.md").write_text(WAIVER)
    edit_rest(tree, without_currency)
    done = run(tree)
    assert done.returncode == 0
    assert "(allowed by bffs/mobile/waivers/0001-no-currency.md)" in done.stdout

    edit_rest(tree, lambda schemas: schemas["Order"]["properties"].pop("amount"))
    done = run(tree)
    assert done.returncode == 1
    assert "- `property-removed response Order.amount`" in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("- `property-removed response Order.currency`", "", "names no change"),
        ("Every order is in euros.", "", "says nothing under Context"),
        ("## Alternatives\n\nWaiting.\n", "", "says nothing under Alternatives"),
    ],
)
def test_a_waiver_without_a_reason_is_none(tmp_path: Path, old: str, new: str, said: str) -> None:
    """Its file and what is missing."""
    (tmp_path / "0001-x.md").write_text(WAIVER.replace(old, new))
    with pytest.raises(WaiverError, match=rf"0001-x\.md: {said}"):
        read_waivers(tmp_path)


def test_a_graph_change_names_its_readers(tree: Path) -> None:
    """By the document that asks for the field; and the document itself is refused."""
    text = (tree / SDL).read_text()
    begin = text.index('  """What it cost')
    (tree / SDL).write_text(text[:begin] + text[text.index('  """ISO 4217') :])
    done = run(tree)

    assert done.returncode == 1
    assert (
        "breaking  field-removed response Order.amount: Field Order.amount was removed.; read by web-1.0" in done.stdout
    )
    assert "document-refused request web-1.0: Cannot query field 'amount' on type 'Order'." in done.stdout
    commit(tree)
    commit(tree)
    assert "field-removed response Order.amount" in run(tree).stdout


def test_another_commit_can_be_asked(tree: Path) -> None:
    """As for a branch of many commits."""
    git(tree, "branch", "before")
    edit_rest(tree, lambda schemas: schemas["Source"]["enum"].append("guess"))
    commit(tree)
    commit(tree)

    since_shipped = (
        "enum-value-added response Source: 'guess' is new in GET /mobile/v1/dashboard; read by android-1.0\n"
    )
    assert since_shipped in run(tree).stdout

    asked = run(tree, "before").stdout
    assert "mobile: against before," in asked
    assert "'guess' is new in GET /mobile/v1/dashboard and 6 more; read by android-1.0\n" in asked


def test_a_client_ships_once(tree: Path) -> None:
    """What it relied on that day is not written anew."""
    (tree / "bffs/mobile/clients/watch-1.0.yaml").write_text("GET /mobile/v1/profile: {reads: [displayName]}\n")
    kept = json.loads(ship(tree, "mobile", "watch-1.0").read_text())

    assert list(kept["paths"]) == ["/mobile/v1/profile"]
    assert kept["components"]["schemas"]["ProfileScreen"]["properties"].keys() == {"displayName"}
    with pytest.raises(FileExistsError, match="has shipped"):
        ship(tree, "mobile", "watch-1.0")


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        ({"GET /mobile/v1/nope": {}}, "there is no such operation"),
        ({"GET /mobile/v1/profile": {"reads": ["nick"]}}, "there is no nick"),
        ({"GET /mobile/v1/profile": {"sends": ["limit"]}}, "no parameter is called limit"),
        ({"GET /mobile/v1/profile": {"read": []}}, "known are problems, reads, sends"),
    ],
)
def test_a_selection_of_what_is_not_there_is_refused(selection: Any, said: str) -> None:
    """A misspelled field would be looked after by nobody."""
    with pytest.raises(SelectionError, match=said):
        trimmed(json.loads((ROOT / OPENAPI).read_text()), selection)
