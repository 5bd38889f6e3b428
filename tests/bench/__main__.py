"""``python -m tests.bench``: measures Frontage beside its peers, prints one table, keeps it in the document."""

import argparse
import json
import os
import signal
import sys
from dataclasses import asdict

from tests.bench.backends import Backends
from tests.bench.groups import GROUPS
from tests.bench.machine import LOAD_CORE, ROOT, STATE, BenchError, Tools, build, require_programs, versions
from tests.bench.measure import Bench, Row
from tests.bench.table import as_markdown, as_text, replace_between_marks

# Above this, whoever else works on the machine is in the figures.
QUIET_LOAD = 0.7


def main(arguments: list[str]) -> int:
    """Measure the groups asked for; 1 when a measurement cannot be believed."""
    asked = read_arguments(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every process of ours is stopped on the way out
    load_before = os.getloadavg()[0]
    try:
        require_programs()
        tools = build()
        rows, faults = measure(asked, tools)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(as_text(rows))
    (STATE / "latest.json").write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    if asked.document and not faults:
        notes = [f"{asked.rounds} rounds of {asked.seconds:g} s; medians."]
        if load_before > QUIET_LOAD:
            notes.append(f"The machine was not quiet: its load was {load_before:.1f} when the bench began.")
        replace_between_marks(ROOT / "docs/performance.md", as_markdown(rows, versions(tools), notes))
    for fault in faults:
        print(f"bench: {fault}", file=sys.stderr)
    return 1 if faults else 0


def measure(asked: argparse.Namespace, tools: Tools) -> tuple[list[Row], list[str]]:
    """Measure group after group; one that cannot be believed gives a fault instead of rows."""
    os.sched_setaffinity(0, {LOAD_CORE})
    rows: list[Row] = []
    faults: list[str] = []
    with Backends() as backends:
        for group in asked.groups:
            print(f"measuring {group} …", file=sys.stderr, flush=True)
            try:
                with Bench(backends.addresses, tools, seconds=asked.seconds, rounds=asked.rounds) as bench:
                    rows += GROUPS[group](bench)
            except BenchError as error:
                faults.append(f"{group}: {error}")
    return rows, faults


def read_arguments(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; it says what is wrong with it and exits with 2."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--groups", default="", help=f"some of {','.join(GROUPS)}; all when empty")
    parser.add_argument("--seconds", type=float, default=2, help="how long one run of the load takes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-document", dest="document", action="store_false", help="leave docs/performance.md alone")
    asked = parser.parse_args(arguments)
    asked.groups = [name for name in asked.groups.split(",") if name] or list(GROUPS)
    if unknown := set(asked.groups) - set(GROUPS):
        parser.error(f"no group {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    if not (0.2 <= asked.seconds <= 60 and 1 <= asked.rounds <= 20):
        parser.error("--seconds is 0.2 to 60, --rounds 1 to 20")
    return asked


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
