"""Every BFF's committed contract is what its code says."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = sorted([*ROOT.glob("bffs/*/openapi.json"), *ROOT.glob("bffs/*/schema.graphql")])


@pytest.mark.parametrize("file", CONTRACTS, ids=lambda file: file.parent.name)
def test_the_committed_contract_is_current(file: Path) -> None:
    """``make contracts`` was run after the last change: byte for byte, from a process of its own."""
    command = [sys.executable, "-m", f"bffs.{file.parent.name}", "contract"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=60)

    assert printed.stdout.decode() == file.read_text()


def test_every_bff_has_one() -> None:
    """A surface that nobody wrote down can be broken by anybody."""
    assert {path.parent.name for path in ROOT.glob("bffs/*/__init__.py")} == {file.parent.name for file in CONTRACTS}
