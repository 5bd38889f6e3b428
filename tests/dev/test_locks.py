"""The locks are current with the manifests, as far as can be said without a network."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
BFFS = (str(path.parent.relative_to(ROOT)) for path in sorted(ROOT.glob("bffs/*/pyproject.toml")))
DEPLOYABLES = (*BFFS, "edge", "edge/limits", "dev")
LOCKS = ("requirements.lock", *(f"{folder}/requirements.lock" for folder in DEPLOYABLES))
PACKAGE = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;]+)[^\n]*\n((?:[ \t]+[^\n]*\n)*)", re.MULTILINE)


def locked(lock: str) -> dict[str, str]:
    """Return the versions of a lock by package."""
    return {canonicalize_name(name): version for name, version, _ in PACKAGE.findall((ROOT / lock).read_text())}


def required(manifest: str) -> list[Requirement]:
    """Return what a manifest asks for; of the root's, the development group."""
    content = tomllib.loads((ROOT / manifest).read_text())
    groups = content.get("dependency-groups", {})
    return [Requirement(text) for text in [*content["project"]["dependencies"], *groups.get("dev", ())]]


def unmet(manifests: list[str], lock: str) -> list[str]:
    """Return every requirement that the lock does not satisfy."""
    found = locked(lock)
    return [
        f"{manifest}: {need}, {lock} has {found.get(canonicalize_name(need.name))}"
        for manifest in manifests
        for need in required(manifest)
        if not need.specifier.contains(found.get(canonicalize_name(need.name), "0"), prereleases=True)
        or canonicalize_name(need.name) not in found
    ]


def test_the_lock_of_the_tree_satisfies_every_manifest() -> None:
    """Whoever changed a manifest ran `make lock`."""
    manifests = ["pyproject.toml", "shared/pyproject.toml", *(f"{folder}/pyproject.toml" for folder in DEPLOYABLES)]
    manifests += [
        "dev/scaffold/rest/pyproject.toml",
        "dev/scaffold/graphql/pyproject.toml",
    ]  # what a new BFF begins with
    assert unmet(manifests, "requirements.lock") == []


@pytest.mark.parametrize("folder", DEPLOYABLES)
def test_the_lock_of_a_deployable_satisfies_its_own_manifest_and_shared(folder: str) -> None:
    """And pins what the whole tree pins, so that what developers test is what an image runs."""
    lock = f"{folder}/requirements.lock"
    assert unmet([f"{folder}/pyproject.toml", "shared/pyproject.toml"], lock) == []
    whole = locked("requirements.lock")
    assert {name: version for name, version in locked(lock).items() if whole.get(name) != version} == {}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_a_hash_for_everything_and_names_no_host(lock: str) -> None:
    """It installs the same bytes wherever they come from."""
    text = (ROOT / lock).read_text()
    assert len(PACKAGE.findall(text)) > 20
    assert [name for name, _, hashes in PACKAGE.findall(text) if "--hash=sha256:" not in hashes] == []
    assert not re.search(r"://|--(extra-)?index-url|--find-links|^#", text, re.MULTILINE)
