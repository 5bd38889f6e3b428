"""A new BFF in a copy of the tree: made, judged as the others are, run through the real edge, and taken away."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.offsets import ROOT
from tests.system.running import Running, start, stop

MADE = {"partner": ("--style", "rest", "--accept", "api_key"), "kiosk": ("--style", "graphql")}
# A whole tree's types, on a machine that does other things too.
WITHIN_S = 580
KEY_WITHIN_S = 10.0
QUERY = "{ summary { name purchases { id } degraded { section } } }"


def long(test):
    return pytest.mark.long(pytest.mark.timeout(WITHIN_S)(test))


def files(tree: Path) -> dict[str, bytes]:
    """Every file of a tree, as far as git would keep it."""
    kept = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return {name: (tree / name).read_bytes() for name in kept if (tree / name).is_file()}


def run(tree: Path, *command: str, fails: bool = False) -> str:
    """Run a Python module in the copy."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
        env=env,
    )
    assert bool(done.returncode) is fails, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this tree."""
    copy = tmp_path_factory.mktemp("tree") / "copy"
    for name, content in files(ROOT).items():
        place = copy / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        shutil.copymode(ROOT / name, place)
    subprocess.run(["git", "init", "-q"], cwd=copy, check=True)
    (copy / ".venv").symlink_to(Path(sys.executable).parents[1])
    subprocess.run(["git", "add", "-A", ":!.venv"], cwd=copy, check=True)
    return copy


@pytest.fixture(scope="module")
def before(tree: Path) -> dict[str, bytes]:
    return files(tree)


@pytest.fixture(scope="module")
def grown(tree: Path, before: dict[str, bytes]) -> Path:
    """The copy with two BFFs more, one of each style."""
    for name, options in MADE.items():
        said = run(tree, "dev", "new-bff", name, *options)
        assert f"bffs/{name}/requirements.lock" in said
    subprocess.run(["git", "add", "-A", ":!.venv"], cwd=tree, check=True)
    return tree


@pytest.fixture(scope="module")
def running(grown: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """All of it, with the service that judges keys."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPOSE_PROFILES", "control")
        copy = start(tmp_path_factory.mktemp("grown"), grown / "compose.yaml")
    yield copy
    stop(copy)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Partner", "will not do"),
        ("a", "will not do"),
        ("import", "will not do"),
        ("mobile", "is taken"),
        ("valkey", "is taken"),
    ],
)
def test_a_name_that_will_not_do(tree: Path, before: dict[str, bytes], name: str, said: str) -> None:
    """Refused in a line, and nothing is written."""
    assert said in run(tree, "dev", "new-bff", name, fails=True)


@long
def test_it_passes_what_the_tree_holds_itself_to(grown: Path) -> None:
    """Style, format, types, layers, dependencies, house rules, images, locks: as for the family's own."""
    if (cache := ROOT / ".mypy_cache").is_dir():  # what is the same in both trees is read once
        shutil.copytree(cache, grown / ".mypy_cache", dirs_exist_ok=True)
    places = [f"{folder}/{name}" for folder in ("bffs", "tests/bffs") for name in MADE]
    run(grown, "ruff", "check", *places)
    run(grown, "ruff", "format", "--check", *places)
    run(grown, "mypy", *(f"bffs/{name}" for name in MADE))
    rooms = [f"tests/images/test_{what}.py" for what in ("dockerfiles", "k8s", "compose_file")]
    rooms += ["tests/architecture", "tests/dev/test_locks.py", "tests/bffs/test_contracts.py"]
    run(grown, "pytest", "-q", "-x", *rooms)
    for name in MADE:
        command = ["make", "-o", "setup", "deptry-one", f"PART=bffs/{name}"]
        judged = subprocess.run(command, cwd=grown, capture_output=True, text=True, check=False)
        assert judged.returncode == 0, judged.stdout + judged.stderr


@long
def test_its_own_tests_are_green(grown: Path) -> None:
    """On the day it is made."""
    run(grown, "pytest", "-q", "-x", *(f"tests/bffs/{name}" for name in MADE))


@long
def test_the_edge_and_explain_know_it(grown: Path) -> None:
    """Its routes, its limits, its auth; and what it can cost at worst fits its deadline."""
    run(grown, "edge", "check")
    said = run(grown, "edge", "explain", "https://localhost:8443/partner/v1/summary")
    assert "route partner.v1" in said
    assert "auth     partner-keys" in said
    for name in MADE:
        assert "summary" in run(grown, f"bffs.{name}", "explain").lower()


@long
def test_it_runs_at_once(running: Running, grown: Path) -> None:
    """Through the real edge, over TLS, with the sample backends: a partner by a key, a kiosk's user by a token."""
    store = f"valkey://127.0.0.1:{running.port(6379)}"
    command = [sys.executable, "-m", "edge", "keys", "create", "--client", "u-1", "--for", "partner", "--store", store]
    key = subprocess.run(command, cwd=grown, capture_output=True, text=True, timeout=60, check=True).stdout.strip()
    with running.client(None, headers={"x-api-key": key}) as http:
        rest = answered(lambda: http.get("/partner/v1/summary"))
    with running.client() as http:
        graph = http.post("/kiosk/graphql", json={"query": QUERY}).json()["data"]["summary"]
        assert http.get("/partner/v1/summary").status_code == 401  # a user's token is no partner's key
    assert rest["name"] == graph["name"] == "Ada"
    assert [one["id"] for one in rest["purchases"]] == [one["id"] for one in graph["purchases"]] != []
    assert rest["degraded"] == graph["degraded"] == []
    with running.client(None) as http:
        assert http.get("/partner/v1/summary").json()["code"] == "unauthenticated"
        assert http.post("/kiosk/graphql", json={"query": QUERY}).status_code == 401


def answered(ask: Callable[[], httpx.Response]) -> dict:
    """Ask until a new key has come round: every edge and BFF knows it within two seconds."""
    end = time.monotonic() + KEY_WITHIN_S
    while (answer := ask()).status_code == 401 and time.monotonic() < end:
        time.sleep(0.1)
    assert answer.status_code == 200, answer.text
    return answer.json()


@long
def test_it_goes_without_a_trace(grown: Path, before: dict[str, bytes]) -> None:
    """The tree is what it was, byte for byte."""
    for name in MADE:
        assert f"bffs/{name}/ is gone" in run(grown, "dev", "remove-bff", name)
    after = files(grown)
    assert {name for name in {**before, **after} if before.get(name) != after.get(name)} == set()


def test_what_is_not_there_cannot_be_removed(tree: Path, before: dict[str, bytes]) -> None:
    """And what there is, is said."""
    assert "there is no bffs/nobody; there are: mobile, web" in run(tree, "dev", "remove-bff", "nobody", fails=True)
