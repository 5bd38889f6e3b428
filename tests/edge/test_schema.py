"""The schemas for editors: as committed, and of one mind with the loader about shapes."""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from edge.document import Reader
from edge.schema import FILES, schema_of

GENERATED = Path("edge/generated")
BAD = Path("tests/edge/bad")
WHOLE = [
    Path("edge/edge.yaml"),
    Path("tests/edge/edge.yaml"),
    Path("tests/edge/actions.yaml"),
    *BAD.glob("*.good.yaml"),
]
FRAGMENTS = [*Path("bffs").glob("*/edge.yaml"), *BAD.glob("fragments/*.yaml")]


def read(path: Path) -> dict:
    """As an editor sees it, with the variables still there."""
    text = re.sub(r"\$\{[^}]*\}", "${SET}", path.read_text())
    return Reader(str(path), {"SET": "${SET}"}).read(text)


@pytest.mark.parametrize("name", FILES)
def test_the_committed_schema_is_the_specs_own(name):
    """``make contracts`` writes it; it is a sound schema."""
    committed = json.loads((GENERATED / name).read_text())
    assert committed == schema_of(FILES[name])
    Draft202012Validator.check_schema(committed)


@pytest.mark.parametrize("path", [*WHOLE, *FRAGMENTS], ids=str)
def test_what_is_right_is_not_underlined(path):
    """Every sound file of ours, variables included."""
    kind = "fragment.schema.json" if path in FRAGMENTS else "edge.schema.json"
    found = Draft202012Validator(schema_of(FILES[kind])).iter_errors(read(path))
    assert [(one.json_path, one.message[:80]) for one in found] == []


@pytest.mark.parametrize("rule", ["unknown_key", "missing_key", "bad_value"])
def test_what_reading_refuses_is_underlined(rule):
    """Wrong keys, missing ones and values without a unit, before anything runs."""
    assert not Draft202012Validator(schema_of(FILES["edge.schema.json"])).is_valid(read(BAD / f"{rule}.bad.yaml"))


def test_every_key_says_what_it_is_for_or_has_a_speaking_type():
    """Each block has a description: what an editor shows beside it."""
    definitions = schema_of(FILES["edge.schema.json"])["$defs"]
    assert all(one.get("description") or one["anyOf"][1]["description"] for one in definitions.values())
