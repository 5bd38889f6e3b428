"""Makes ``.venv`` from the hashed lock, with nothing but the standard library.

Owns the developer's environment: which Python is good enough, when it is current, how far an install has come.
What is in it, ``requirements.lock`` decides. Runs under whatever ``python3`` a machine has, also one that is
too old: so the syntax here stays at Python 3.7, and the version is judged first.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TextIO

NEEDED = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
VENV = ROOT / ".venv"
STAMP = VENV / "frontage.stamp"
LOG = ROOT / ".local" / "setup.log"
# As pip does: the machine's own certificate authorities, which know a company's proxy when uv's built-in list does not.
TRUST = ("--system-certs",)

# A Python built without profiles (pyenv's default) takes half as long again for everything, tests and services alike.
WORTH = 1.15
# Says how long this Python takes for what services do all day, in seconds: the best of a few tries.
PROBE = """
import ensurepip, time, venv
class Thing:
    def __init__(self, number): self.number, self.text = number, f"{number}"
    def pair(self, other): return self.number, {self.text: other}
def work():
    begun = time.perf_counter()
    for number in range(20000): Thing(number).pair(number)
    return time.perf_counter() - begun
print(min(work() for _ in range(7)))
"""

# uv fetches the packages of one batch side by side; small enough that the count moves, large enough to be quick.
BATCH = 8


class SetupError(Exception):
    """The environment could not be made; the message says why and what to do."""


def main() -> int:
    """Make the environment, or find it current."""
    if sys.version_info < NEEDED:
        found = ".".join(str(part) for part in sys.version_info[:3])
        print(
            f"Frontage needs Python 3.11 or newer; {sys.executable} is {found}.\n"
            "Install a newer one, or name it: make PYTHON=python3.12 ...",
            file=sys.stderr,
        )
        return 1
    try:
        wanted = stamp()
        if STAMP.is_file() and STAMP.read_text(encoding="utf-8") == wanted:
            return 0
        install()
        STAMP.write_text(wanted, encoding="utf-8")
    except SetupError as error:
        print(f"\nsetup: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nsetup: stopped; the next run goes on from here", file=sys.stderr)
        return 130
    return 0


def stamp() -> str:
    """Say what the environment is made from: the lock, this Python, this place (scripts hold absolute paths)."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    return f"{digest}\n{sys.version_info[0]}.{sys.version_info[1]}\n{VENV}\n"


def install() -> None:
    """Create the environment and bring every package of the lock into it, hash by hash."""
    started = time.monotonic()
    progress = Progress(sys.stdout)
    LOG.parent.mkdir(parents=True, exist_ok=True)
    LOG.write_bytes(b"")
    blocks = locked(LOCK.read_text(encoding="utf-8"))
    create_venv(progress)
    part = LOG.with_name("setup-part.lock")
    python = str(VENV / "bin" / "python")
    uv = str(VENV / "bin" / "uv")
    part.write_text(next(block for block in blocks if block.startswith("uv==")), encoding="utf-8")
    progress.say("fetching the installer")
    run([python, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r", str(part)])
    for start in range(0, len(blocks), BATCH):
        batch = blocks[start : start + BATCH]
        names = ", ".join(block.partition("==")[0] for block in batch[:3])
        progress.say(f"{start} of {len(blocks)} packages · {names} ...")
        part.write_text("".join(batch), encoding="utf-8")
        run(
            [
                uv,
                "pip",
                "install",
                *TRUST,
                "--quiet",
                "--python",
                python,
                "--require-hashes",
                "--no-deps",
                "-r",
                str(part),
            ]
        )
    # Once more as a whole: takes away what an older lock had put there, and compiles. That is 6 s now, and half of
    # each process's start from then on, of which `make up` alone has ten.
    progress.say(f"{len(blocks)} of {len(blocks)} packages · compiling ...")
    run([uv, "pip", "sync", *TRUST, "--quiet", "--compile-bytecode", "--python", python, "--require-hashes", str(LOCK)])
    part.unlink()
    progress.say(f"{len(blocks)} of {len(blocks)} packages in {time.monotonic() - started:.0f} s")
    progress.end()


def create_venv(progress: Progress) -> None:
    """Create ``.venv``, or keep the one that is there when it still starts and is of this Python."""
    python = VENV / "bin" / "python"
    ask = f"import pip, sys; print(sys.version_info[:2] == {tuple(sys.version_info[:2])!r})"
    if python.exists():
        done = subprocess.run([str(python), "-c", ask], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        if done.stdout.strip() == b"True":
            return
    chosen = quickest(sys.executable) if "--quickest" in sys.argv else sys.executable
    other = "" if chosen == sys.executable else f" with {chosen}, the quicker build (make PYTHON=... names one)"
    progress.say("creating .venv" + other)
    run(
        [chosen, "-m", "venv", "--clear", str(VENV)],
        remedy="Python's venv module is missing; on Debian: apt-get install python3-venv",
    )


def quickest(mine: str) -> str:
    """Return the quickest build of this Python version that the machine has; ``mine`` unless another is worth it."""
    name = "python{}.{}".format(*sys.version_info[:2])
    folders = [Path(one) for one in [*os.environ.get("PATH", "").split(os.pathsep), "/usr/local/bin", "/usr/bin"]]
    others = {str((folder / name).resolve()) for folder in folders if folder.is_absolute()}
    # In turns, so that whatever else the machine does meets all alike.
    took = [(seconds(one), one) for _ in range(5) for one in [mine, *sorted(others)]]
    own = min(time for time, one in took if one == mine)
    best, one = min(took)
    return one if best * WORTH < own else mine


def seconds(python: str) -> float:
    """Return what ``PROBE`` says of a Python; for ever when it is none, or cannot make an environment."""
    try:
        said = subprocess.check_output([python, "-I", "-c", PROBE], stderr=subprocess.DEVNULL, timeout=20)
        return float(said)
    except (OSError, ValueError, subprocess.SubprocessError):
        return float("inf")


def locked(text: str) -> list[str]:
    """Split a lock into its packages: one block each, the hashes with it."""
    return re.findall(r"^[A-Za-z0-9][^\n]*\n(?:[ \t]+[^\n]*\n)*", text, flags=re.MULTILINE)


def run(command: list[str], remedy: str = "") -> None:
    """Run ``command`` quietly; when it fails, show the end of what it said."""
    with LOG.open("ab") as log:
        code = subprocess.call(command, stdout=log, stderr=log, cwd=str(ROOT))
    if code:
        last = "\n".join("  " + line for line in LOG.read_text(errors="replace").splitlines()[-12:])
        what = " ".join(Path(part).name if "/" in part else part for part in command)
        remedy = remedy or f"See {LOG.relative_to(ROOT)}; then run make setup again."
        raise SetupError(f"{what} ended with {code}\n{last}\n{remedy}")


class Progress:
    """One line that moves on a terminal, plain lines elsewhere."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self.moves = out.isatty()

    def say(self, text: str) -> None:
        """Show how far it is."""
        self.out.write(("\r\033[K" if self.moves else "") + "setup: " + text + ("" if self.moves else "\n"))
        self.out.flush()

    def end(self) -> None:
        """Leave the line."""
        if self.moves:
            self.out.write("\n")


if __name__ == "__main__":
    sys.exit(main())
