"""Documents that name code are checked: prose that nothing checks rots."""

import importlib
import re
from pathlib import Path

import pytest

from shared.errors import PROBLEM_KINDS, Reason

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bffs/*/README.md"), *ROOT.glob("edge/README.md")]
)
IN_TICKS = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"^(?:\.{0,2}/)?(?:shared|bffs|edge|dev|tests|docs|\.ci)/[\w./-]*$")
SYMBOL = re.compile(r"^(?:shared|edge|dev|bffs)(?:\.(?!yaml$|json$|md$)[a-z_]+)+(?:\.[A-Z]\w+)?$")
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_and_symbol_in_a_document_exists(document: Path) -> None:
    """A file, folder or module in backticks is there; a link between documents leads somewhere."""
    text = document.read_text()
    words = IN_TICKS.findall(text)
    missing = [f"link {target}" for target in LINK.findall(text) if not (document.parent / target).exists()]
    missing += [word for word in words if PATH.match(word) and not (ROOT / word.removeprefix("./")).exists()]
    missing += [word for word in words if SYMBOL.match(word) and not importable(word)]

    assert missing == []


def importable(symbol: str) -> bool:
    module, _, last = symbol.rpartition(".")
    try:
        if last[:1].isupper():
            return hasattr(importlib.import_module(module), last)
        importlib.import_module(symbol)
    except ImportError:
        return False
    return True


def test_every_problem_code_and_reason_is_documented() -> None:
    """docs/problems.md has a row for each code with its status, and each reason with its own."""
    text = (ROOT / "docs/problems.md").read_text()

    for code, kind in PROBLEM_KINDS.items():
        retry = "yes" if kind.retryable else "no"
        assert re.search(rf"^\| `{code}` \| {kind.status} \| {retry} \|", text, re.MULTILINE), code
    for reason in Reason:
        assert re.search(rf"^\| `{reason}` \|", text, re.MULTILINE), reason
