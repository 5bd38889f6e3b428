"""The house has the rooms that architecture.md names, and its import contracts know all of them."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TRACKED = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    if (ROOT / name).is_file()
]
BFFS = sorted(str(path.parent.relative_to(ROOT)) for path in ROOT.glob("bffs/*/__init__.py"))
DEPLOYABLES = [*BFFS, "edge", "edge/limits", "edge/control"]
FIXED_TOP = {"pyproject.toml", "bffs", "shared", "edge", "tests", "compose.yaml"}
ALSO_TOP = {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "Makefile", "requirements.lock", "dev", "docs"}


def test_the_top_level_is_the_agreed_one() -> None:
    """Nothing new stands at the top without a decision; nothing fixed is missing."""
    top = {path.relative_to(ROOT).parts[0] for path in TRACKED}

    assert top >= FIXED_TOP
    assert {name for name in top if not name.startswith(".")} <= FIXED_TOP | ALSO_TOP


def test_the_import_contracts_cover_every_package() -> None:
    """A folder with code that no contract knows would be a room without walls."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    rooms = {"shared", "edge", "dev", *(folder.replace("/", ".") for folder in BFFS)}

    assert set(contracts["root_packages"]) == rooms


def test_the_import_contracts_hold() -> None:
    """Imports point down; deployables never meet; resilience and the edge compiler are pure."""
    linted = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT, check=False, capture_output=True, text=True,
    )  # fmt: skip

    assert linted.returncode == 0, linted.stdout
    assert "0 broken" in linted.stdout


@pytest.mark.parametrize("folder", DEPLOYABLES)
def test_a_deployable_has_all_its_papers(folder: str) -> None:
    """Manifest, lock, image, owner's page: a team can deploy it alone."""
    wanted = ["pyproject.toml", "requirements.lock", "Dockerfile", "k8s.yaml", "README.md"]

    assert [name for name in wanted if not (ROOT / folder / name).is_file()] == []


def test_the_family_is_at_home() -> None:
    """The two BFFs of the family are here, and every list in the tests that is made from the tree has them."""
    assert {"bffs/mobile", "bffs/web"} <= set(BFFS)


def test_bffs_is_a_namespace() -> None:
    """``bffs/__init__.py`` would tie the BFFs together (architecture §1)."""
    assert not (ROOT / "bffs/__init__.py").exists()


def test_nothing_names_a_registry_or_a_path_of_this_machine() -> None:
    """A lock file that names hosts works in one network only; a path of one machine works nowhere else."""
    forbidden = re.compile(
        rb"p[y]pi\.org|p[y]thonhosted|npm[j]s\.org|yarnpkg\.com|deb\.d[e]bian|/[w]ork/|/[r]oot/|/[h]ome/[a-z]+/"
    )
    found = [str(path.relative_to(ROOT)) for path in TRACKED if forbidden.search(path.read_bytes())]

    assert found == []


def test_adrs_are_short_and_have_the_four_parts() -> None:
    """Context, Decision, Consequences, Alternatives; at most 60 lines; numbered without a gap."""
    records = sorted((ROOT / "docs/adr").glob("*.md"))

    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for path in records:
        text = path.read_text()
        assert len(text.splitlines()) <= 60, path.name
        headings = re.findall(r"^## (\w+)", text, re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "Alternatives"], path.name


def test_the_readme_is_one_sitting() -> None:
    """At most 120 lines."""
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120
