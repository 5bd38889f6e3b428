"""The commands' side of contracts: what is printed, and the exit code."""

from pathlib import Path

from dev.commands import CommandError
from dev.contracts.check import check, ship
from dev.contracts.shipped import SelectionError
from dev.contracts.waivers import WaiverError


def judge(root: Path, base: str | None) -> int:
    """Print every verdict; 1 when something breaks that no waiver names. Raises CommandError."""
    try:
        verdicts = check(root, base)
    except WaiverError as error:
        raise CommandError(str(error)) from error
    for verdict in verdicts:
        print("\n".join(verdict.lines()))
    broken = [(one.bff, change) for one in verdicts for change in one.broken]
    for bff, change in broken:
        print(f"breaks clients; undo it, or say why in bffs/{bff}/waivers/ (- `{change.key}`)")
    return 1 if broken else 0


def keep(root: Path, bff: str, client: str) -> int:
    """Keep a client's contract, and say where. Raises CommandError."""
    try:
        print(ship(root, bff, client).relative_to(root))
    except (FileExistsError, FileNotFoundError, SelectionError) as error:
        raise CommandError(str(error)) from error
    return 0
