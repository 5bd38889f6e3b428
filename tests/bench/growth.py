"""What happens to the cost of a request when something grows: branches, connections, keys, bodies.

Owns the rule that nothing may grow faster than linearly. The service is ``growing.py``: Frontage as it is, with screens
made to be enlarged.
"""

from collections.abc import Sequence
from typing import Final

from tests.bench.backends import SIZES
from tests.bench.measure import Bench, Load, Row
from tests.bench.variants import frontage

C64: Final = Load("c=64")
BRANCHES: Final = (1, 3, 10, 30)
CONNECTIONS: Final = (8, 64, 256, 512)
KEYS: Final = (10, 1_000, 10_000, 100_000)
# So many new keys a second at least, however busy the machine: the memory is full before the figures are taken.
FILLED_A_SECOND: Final = 2_000
# What two runs of the same thing differ by on a machine of two cores.
NOISE: Final = 1.2


def growth_branches(bench: Bench) -> list[Row]:
    """One screen of 1, 3, 10 and 30 branches; the cost of a branch must not grow with their number."""
    variants = [
        frontage(bench.where, f"frontage-{number}", module="tests.bench.growing", path=f"/growing/{number}")
        for number in BRANCHES
    ]
    rows = bench.compare("growth-branches", variants, [C64], same=False)
    return for_each(rows, BRANCHES, "a branch")


def growth_connections(bench: Bench) -> list[Row]:
    """The dashboard with 8 to 512 clients at once; the cost of a request must not grow with their number."""
    loads = [Load(f"c={number}", connections=number) for number in CONNECTIONS]
    rows = bench.compare("growth-connections", [frontage(bench.where)], loads, same=False)
    return for_each(rows, [1] * len(rows), "a request")


def growth_keys(bench: Bench) -> list[Row]:
    """A remembered call with 10 to 100,000 different keys in turn; past the bound of the memory each one is asked."""
    rows = []
    for number in KEYS:
        variant = frontage(bench.where, f"frontage-{number:,}", module="tests.bench.growing", path="/growing/keyed")
        load = Load("c=64", keys=number, warm_up_s=max(1.0, number / FILLED_A_SECOND))
        rows += bench.compare("growth-keys", [variant], [load], same=False)
    return for_each(rows, [1] * len(rows), "a request")


def growth_body(bench: Bench) -> list[Row]:
    """One section of 1 KB to 1 MB, read, checked and written; the cost of a kilobyte must not grow."""
    variants = [
        frontage(bench.where, f"frontage-{size:,}-bytes", module="tests.bench.growing", path=f"/growing/bytes/{size}")
        for size in SIZES
    ]
    rows = bench.compare("growth-body", variants, [Load("c=8", connections=8)], same=False)
    return for_each(rows, [size // 1_000 for size in SIZES], "a KB")


def for_each(rows: list[Row], numbers: Sequence[int], unit: str) -> list[Row]:
    """Say what one more costs, and where that is more than it was for fewer."""
    dearest = 0.0
    for row, number in zip(rows, numbers, strict=True):
        each_us = row.cpu_us / number
        row.note = f"{each_us:.0f} µs {unit}"
        if dearest and each_us > dearest * NOISE:
            row.note += ", more than with fewer"
        dearest = max(dearest, each_us)
    return rows
