"""The commands' side of typed clients: what is printed, and the exit code."""

from pathlib import Path

from dev.clients.make import GENERATED, findings, make_clients
from dev.clients.workshop import WorkshopError
from dev.commands import CommandError


def make(root: Path) -> int:
    """Make every typed client anew. Raises CommandError."""
    try:
        for file in make_clients(root / GENERATED, root):
            print(file.relative_to(root))
    except WorkshopError as error:
        raise CommandError(str(error)) from error
    return 0


def judge(root: Path) -> int:
    """Print what a linter finds in the OpenAPI documents; 1 when it finds anything. Raises CommandError."""
    try:
        found = findings(root)
    except WorkshopError as error:
        raise CommandError(str(error)) from error
    print("\n".join(found) or "nothing")
    return 1 if found else 0
