import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.images.dockerfile import BFFS, ROOT, Dockerfile

FOLDERS = (*BFFS, "edge", "edge/limits", "edge/control", "dev")
each = pytest.mark.parametrize("folder", FOLDERS)


def test_no_dockerfile_is_forgotten() -> None:
    """The list above is all there is."""
    found = {str(path.parent.relative_to(ROOT)) for path in (ROOT / "bffs").glob("*/Dockerfile")}
    found |= {path.parent.name for path in ROOT.glob("*/Dockerfile")}
    found |= {str(path.parent.relative_to(ROOT)) for path in (ROOT / "edge").glob("*/Dockerfile")}
    assert found == set(FOLDERS)


@each
def test_hadolint_finds_nothing(folder: str) -> None:
    """Not even a hint."""
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, ROOT / folder / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert done.returncode == 0


@each
def test_an_image_holds_shared_and_its_own_folder_alone(folder: str) -> None:
    """No BFF depends on another's files, and no image on the whole tree."""
    copies = Dockerfile.read(ROOT / folder / "Dockerfile").copies()
    assert {source.strip("/") for source, _ in copies} <= {"shared", folder, f"{folder}/requirements.lock"}
    assert all(source.strip("/") == target.strip("./") for source, target in copies)  # the path is the import


@each
def test_an_image_is_pinned_and_runs_as_nobody(folder: str) -> None:
    """A base by its full tag, packages by their hashes, a numeric user, a process that gets the signals itself."""
    file = Dockerfile.read(ROOT / folder / "Dockerfile")
    assert re.fullmatch(r"python:3\.11\.\d+-slim-[a-z]+", file.all("FROM")[0])
    assert any("--require-hashes" in line for line in file.all("RUN") if "pip install" in line)
    assert re.fullmatch(r"\d{4,}(:\d{4,})?", file.all("USER")[-1])
    assert file.command()[:2] == ["python", "-m"]
    assert file.all("HEALTHCHECK")
    assert not [rest for rest in file.all("ENV") if re.search(r"TOKEN|SECRET|PASSWORD", rest)]


@each
def test_the_image_and_compose_start_the_same(folder: str) -> None:
    """Whoever runs the image without compose gets what compose describes."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    commands = [
        one["command"] for one in services.values() if one.get("build", {}).get("dockerfile") == f"{folder}/Dockerfile"
    ]
    assert Dockerfile.read(ROOT / folder / "Dockerfile").command() in commands


def test_the_build_context_is_only_what_some_image_copies() -> None:
    """.dockerignore refuses everything, then lets the rooms in: no .git, no .venv, no key on its way to a daemon."""
    lines = (ROOT / ".dockerignore").read_text().split()
    assert "*" in lines
    assert {line[1:] for line in lines if line.startswith("!")} == {"shared", "bffs", "edge", "dev"}
