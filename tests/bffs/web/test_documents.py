"""``python -m bffs.web documents <folder>``: a client's code in, the manifest of its documents out."""

import json
import re
from hashlib import sha256
from pathlib import Path

import pytest
from graphql import parse, print_ast

from bffs.web import __main__ as command
from bffs.web.documents import manifest_of, with_typenames
from bffs.web.prepare import Preparer
from bffs.web.schema import schema

ROOT = Path(__file__).resolve().parents[3]

SCRIPT = """
import { gql } from "@apollo/client";
const AMOUNT = gql`fragment Amount on Order { amount ...Currency }`;
const CURRENCY = /* GraphQL */ `fragment Currency on Order { currency }`;
export const ORDERS = gql`
  query Orders { dashboard { recentOrders { ...Amount } } }
  ${AMOUNT}
`;
export const WHO = graphql(`query Who { viewer { tier } }`);
const css = `not { graphql }`;
"""


def made(folder: Path) -> dict[str, str]:
    return manifest_of(folder, Preparer(schema, open_schema=False))


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        file = folder / re.sub("_(?=[a-z]+$)", ".", name).replace("__", "/")
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return folder


def test_the_committed_manifest_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    """`make contracts` was run after the last change of the demo's documents, or of the schema."""
    assert command.main(["documents", str(ROOT / "dev/web-demo")]) == 0

    assert capsys.readouterr().out == (ROOT / "bffs/web/documents.json").read_text()


def test_tagged_templates_and_files_are_found(tmp_path: Path) -> None:
    """Fragments come from wherever they stand; what is no GraphQL, and what is installed, is not looked at."""
    folder = written(tmp_path, page_tsx=SCRIPT, more_graphql="query More { viewer { userId } }")
    written(
        folder, node_modules__x_graphql="query Installed { viewer { tier } }", readme_md="query No { viewer { tier } }"
    )

    texts = made(folder).values()

    plain = [text for text in texts if "__typename" not in text]
    assert sorted(text.split()[1] for text in plain) == ["More", "Orders", "Who"]
    (orders,) = [text for text in plain if "Orders" in text]
    assert [one.name.value for one in parse(orders).definitions] == ["Orders", "Amount", "Currency"]


def test_an_id_is_the_sha_256_of_its_text(tmp_path: Path) -> None:
    """As Apollo's link computes it from what it is about to send: printed, with ``__typename`` or without."""
    manifest = made(written(tmp_path, a_graphql="query A { viewer { tier } }"))

    plain, typed = "query A {\n  viewer {\n    tier\n  }\n}", "query A {\n  viewer {\n    tier\n    __typename\n  }\n}"
    assert manifest == {sha256(text.encode()).hexdigest(): text for text in (plain, typed)}
    assert list(manifest) == sorted(manifest)


TYPENAMES = {
    "{ a { b } }": "{ a { b __typename } }",
    "{ a { __typename b } }": "{ a { __typename b } }",
    "fragment F on A { b { c } }": "fragment F on A { b { c __typename } __typename }",
    "{ a { ... on A { b } } }": "{ a { ... on A { b __typename } __typename } }",
    "{ a: __typename }": "{ a: __typename }",
}


@pytest.mark.parametrize(("text", "sent"), TYPENAMES.items())
def test_typenames_are_added_as_apollo_client_does(text: str, sent: str) -> None:
    """Last in every selection but the root's, unless one is there."""
    assert print_ast(with_typenames(parse(text))) == print_ast(parse(sent))


FAULTS = {
    "syntax": ({"a_ts": "\nconst A = gql`\n  query A { viewer { tier }\n`;"}, "a.ts:4: Syntax Error"),
    "unknown_field": ({"a_graphql": "# one\nquery A { viewer { password } }"}, "a.graphql:2: Cannot query field"),
    "unknown_fragment": ({"a_graphql": "query A { viewer { ...F } }"}, "a.graphql:1: fragment F is defined nowhere"),
    "no_name": ({"a_graphql": "{ viewer { tier } }"}, "a.graphql:1: an operation without a name"),
    "one_name_twice": (
        {"a_graphql": "query A { viewer { tier } }", "b_graphql": "\nquery A { viewer { userId } }"},
        "b.graphql:2: A is defined at",
    ),
    "interpolated_fields": ({"a_js": "gql`query A { viewer { ${fields} } }`"}, "a.js:1: interpolation inside"),
    "introspection": ({"a_graphql": "query A { __schema { types { name } } }"}, "introspection has been disabled"),
    "nothing": ({"a_js": "no graphql"}, "no operation in any file"),
}


@pytest.mark.parametrize(("files", "said"), FAULTS.values(), ids=FAULTS)
def test_a_fault_names_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str], files: dict, said: str) -> None:
    """File and line, exit 1, and no manifest."""
    assert command.main(["documents", str(written(tmp_path, **files))]) == 1

    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """Whoever runs it mends them in one go."""
    folder = written(
        tmp_path, a_graphql="query A { nothing }", b_graphql="query B {", c_graphql="query C { viewer { x y } }"
    )

    with pytest.raises(ValueError, match="nothing") as raised:
        made(folder)

    assert [line.partition(":")[0].rpartition("/")[2] for line in str(raised.value).splitlines()] == [
        "b.graphql", "a.graphql", "c.graphql", "c.graphql",
    ]  # fmt: skip


def test_the_manifest_that_is_served_is_json_of_ids() -> None:
    """Other tools read it, too: graphql-codegen writes the same form."""
    manifest = json.loads((ROOT / "bffs/web/documents.json").read_text())

    assert manifest
    assert all(key == sha256(text.encode()).hexdigest() for key, text in manifest.items())
