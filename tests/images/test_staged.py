"""The nearest thing to running the images without Docker: their files, their packages, their command."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from dev.tls import ensure_certificates
from dev.up.plan import ProcessSpec
from tests.dev.up.harness import until
from tests.images.dockerfile import BFFS, ROOT, Dockerfile
from tests.offsets import free_offset, plan_at

SERVICES = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
UV = Path(sys.executable).with_name("uv")
PLAYED = {
    "edge": "edge",
    "limits": "edge/limits",
    "control": "edge/control",
    **{Path(folder).name: folder for folder in BFFS},
    "users": "dev",
    "identity": "dev",
}


@pytest.fixture(scope="session")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Path]]:
    """Lay out an image's files in an empty folder, and install its lock, and nothing else, in a fresh venv."""
    done: dict[str, Path] = {}

    def lay_out(folder: str) -> Path:
        if folder not in done:
            app = tmp_path_factory.mktemp("image") / "app"
            file = Dockerfile.read(ROOT / folder / "Dockerfile")
            file.stage(app)
            venv = app.parent / "venv"
            subprocess.run([UV, "venv", "-q", "--python", sys.executable, venv], check=True)
            trusted = [UV, "pip", "install", "--system-certs", "-q", "--python", venv / "bin/python"]
            subprocess.run([*trusted, "--require-hashes", "-r", app / file.lock()], check=True)
            done[folder] = app
        return done[folder]

    yield lay_out
    for app in done.values():
        shutil.rmtree(app.parent)


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen]]:
    """Start what a test asks for; end what it leaves."""
    started: list[subprocess.Popen] = []

    def begin(spec: ProcessSpec, app: Path) -> subprocess.Popen:
        spec.log.parent.mkdir(parents=True, exist_ok=True)
        environment = {"PATH": os.environ["PATH"], **spec.environment, "FRONTAGE_MODE": "production"}
        with spec.log.open("wb") as log:
            started.append(
                subprocess.Popen(spec.command, cwd=app, env=environment, stdout=log, stderr=log, start_new_session=True)
            )
        return started[-1]

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.parametrize("name", sorted(PLAYED))
def test_the_files_of_an_image_start_alone_and_become_ready(
    name: str, staged: Callable[[str], Path], start: Callable[..., subprocess.Popen], tmp_path: Path
) -> None:
    """With only its lock installed, in production mode, its neighbours away: ready, and gone with 0 on SIGTERM."""
    app = staged(PLAYED[name])
    for source in mounted_from_the_tree(name):
        (app / source).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / source, app / source)
    ensure_certificates(tmp_path / "tls")
    spec = plan_at(free_offset(), tmp_path, str(app.parent / "venv/bin/python"), "control")[name]
    process = start(spec, app)
    until(lambda: process.poll() is not None or answers(spec.ready), f"{name} to be ready at {spec.ready}")
    assert process.poll() is None, spec.log.read_text()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0, spec.log.read_text()


def mounted_from_the_tree(name: str) -> list[str]:
    """Return the files that compose mounts into a container from the tree: the edge's fragments."""
    volumes = SERVICES[name].get("volumes", ())
    return [volume.partition(":")[0].removeprefix("./") for volume in volumes if volume.startswith("./")]


def answers(url: str | None) -> bool:
    """Say whether a health URL answers 200."""
    assert url is not None
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
