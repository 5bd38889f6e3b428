"""Typed clients: current, of use to a program, and a judge of one that reads what is not there."""

import json
import re
from pathlib import Path

import pytest

from dev.clients.make import GENERATED, contracts, findings, make_clients
from dev.clients.workshop import open_workshop
from tests.dev.clients.desk import PROGRAM, compiled, desk
from tests.offsets import ROOT

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def workshop() -> Path:
    """Node's packages; the first run on a machine installs them."""
    return open_workshop()


def test_the_committed_clients_are_current(workshop: Path, tmp_path: Path) -> None:
    """``make contracts`` was run after the last change: byte for byte."""
    made = make_clients(tmp_path)

    assert {one.name for one in made} == {one.name for one in (ROOT / GENERATED).glob("*.ts")}
    for one in made:
        assert one.read_text() == (ROOT / GENERATED / one.name).read_text()


def test_a_program_that_reads_what_is_not_there_does_not_compile(workshop: Path) -> None:
    """Nor one that forgets that a section may be missing. Each slip is found, and nothing else."""
    slips = {
        "data.displayName": "data.nickName",
        "data.alerts?.length": "data.alerts.length",
        'GET("/mobile/v1/profile")': 'GET("/mobile/v1/profil")',
        "page?.displayName": "page?.name",
    }
    program = PROGRAM
    for right, wrong in slips.items():
        assert right in program
        program = program.replace(right, wrong)
    with desk() as folder:
        done = compiled(folder, program)

    found = {int(line) for line in re.findall(r"^use\.ts\((\d+),", done.stdout, re.MULTILINE)}
    assert found == {program[: program.index(wrong)].count("\n") + 1 for wrong in slips.values()}, done.stdout


def test_redocly_s_recommended_rules_find_nothing(workshop: Path) -> None:
    """Not even a warning."""
    assert findings() == []


@pytest.mark.parametrize(
    ("take", "rule"),
    [
        (lambda document: document.pop("servers"), "no-empty-servers"),
        (lambda document: document["info"].pop("license"), "info-license"),
        (lambda document: document["paths"]["/mobile/v1/profile"]["get"].pop("operationId"), "operation-operationId"),
        (lambda document: document["components"].pop("securitySchemes"), "security-defined"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_the_judge_is_awake(workshop: Path, tmp_path: Path, take, rule: str) -> None:
    """Each of these is found: otherwise the test above would pass on anything."""
    document = json.loads((ROOT / "bffs/mobile/openapi.json").read_text())
    take(document)
    (tmp_path / "bffs/mobile").mkdir(parents=True)
    (tmp_path / "bffs/mobile/openapi.json").write_text(json.dumps(document))

    assert rule in "\n".join(findings(tmp_path))


@pytest.mark.parametrize("file", [one for one in contracts() if one.suffix == ".json"], ids=lambda one: one.parent.name)
def test_swift_and_kotlin_generators_can_live_with_it(file: Path) -> None:
    """Nothing is in it that these generators (docs/contracts.md) turn into code that nobody wants."""
    assert list(unwanted(json.loads(file.read_text()))) == []


def unwanted(document: dict):
    """Yield what becomes ``InlineObject1``, ``AnyOf…`` or a clash of names in a generated client."""
    operations = [one for path in document["paths"].values() for one in path.values()]
    names = [one["operationId"] for one in operations]
    yield from (f"operationId {name}" for name in names if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name))
    yield from (f"operationId {name} twice" for name in {one for one in names if names.count(one) > 1})
    for operation in operations:
        for answer in (*operation["responses"].values(), operation.get("requestBody", {})):
            for media in answer.get("content", {}).values():
                if media["schema"].get("type") == "object":
                    yield f"{operation['operationId']}: an object without a name"
    for name, schema in document["components"]["schemas"].items():
        yield from (f"{name}: {why}" for why in unwanted_in(schema))


def unwanted_in(schema: dict):
    for name, one in schema.get("properties", {}).items():
        if not re.fullmatch(r"[a-z][A-Za-z0-9]*", name):
            yield f"property {name} is no identifier"
        choices = [choice for choice in one.get("anyOf", one.get("oneOf", ())) if choice != {"type": "null"}]
        if len(choices) > 1 and "discriminator" not in one:
            yield f"property {name} is one of several, and nothing says which"
        if one.get("type") == "object" and "properties" in one:
            yield f"property {name} is an object without a name"
    values = schema.get("enum", ())
    if len({re.sub(r"[^a-z0-9]", "", str(value).lower()) for value in values}) < len(values):
        yield "two enum values become the same name"
