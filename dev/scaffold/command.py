"""The commands' side of the scaffold: what is printed, and the exit code."""

from pathlib import Path

from dev.commands import CommandError
from dev.scaffold.create import ScaffoldError, create, destroy


def make(root: Path, name: str, style: str, accept: str) -> int:
    """Make a BFF and say what to do with it. Raises CommandError."""
    try:
        create(root, name, style, print, accept)
    except ScaffoldError as error:
        raise CommandError(str(error)) from error
    path = f"{name}/v1/summary" if style == "rest" else f"{name}/graphql"
    print(f"\nIt runs: make up, then https://localhost:8443/{path}")
    if accept == "api_key":
        print("Its callers have keys, which control judges: COMPOSE_PROFILES=control make up")
        print(f"A key: .venv/bin/python -m edge keys create --client u-1 --for {name} --store valkey://127.0.0.1:6379")
    print(f"Its tests: make test TESTS=tests/bffs/{name}; its page: bffs/{name}/README.md")
    return 0


def unmake(root: Path, name: str) -> int:
    """Take a BFF away. Raises CommandError."""
    try:
        destroy(root, name, print)
    except ScaffoldError as error:
        raise CommandError(str(error)) from error
    return 0
