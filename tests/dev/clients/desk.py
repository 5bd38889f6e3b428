"""A desk in the workshop: the generated clients and one program that uses them."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev.clients.make import GENERATED
from dev.clients.workshop import find_node, open_workshop
from tests.offsets import ROOT

PROGRAM = Path(__file__).with_name("use.ts").read_text()
OPTIONS = (
    *("--strict", "--noUncheckedIndexedAccess", "--skipLibCheck", "--target", "es2022", "--module", "nodenext"),
    *("--moduleResolution", "nodenext", "--pretty", "false"),
)


@contextmanager
def desk() -> Iterator[Path]:
    """A folder beside the packages, with the generated clients in it; gone afterwards."""
    folder = open_workshop() / f"desk-{os.getpid()}"
    shutil.copytree(ROOT / GENERATED, folder, dirs_exist_ok=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def compiled(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    """Hold a program against the clients' types, and make JavaScript of it."""
    (folder / "use.ts").write_text(program)
    tsc = folder.parent / "node_modules/typescript/bin/tsc"
    return _node(folder, {}, str(tsc), *OPTIONS, "use.ts")


def run(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run what was compiled."""
    return _node(folder, settings, "use.js")


def _node(folder: Path, settings: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command, env = [find_node().node, *arguments], {**os.environ, **settings}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=110, check=False)
