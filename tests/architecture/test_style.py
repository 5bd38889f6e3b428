"""House style that a linter does not know: ceilings, words, and no twins between BFFs."""

import ast
import statistics
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("shared", "bffs", "edge", "dev")
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "node_modules" not in path.parts)
BANNED_WORDS = ("Manager", "Helper", "Util", "Impl", "Base")
BANNED_FILES = ("utils.py", "common.py", "misc.py", "helpers.py")
TWIN_LINES = 8


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement after the docstring to the last."""
    body = function.body[1:] if ast.get_docstring(function) and len(function.body) > 1 else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1


def is_handler(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(
        isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr in {"get", "post", "put"}
        and isinstance(one.func.value, ast.Name) and one.func.value.id == "router"
        for one in function.decorator_list
    )  # fmt: skip


def test_modules_are_rooms_not_halls() -> None:
    """No module over 250 lines; half of them at most 90."""
    sizes = {name(path): len(path.read_text().splitlines()) for path in MODULES}

    assert {path: size for path, size in sizes.items() if size > 250} == {}
    assert statistics.median(sizes.values()) <= 90


def test_functions_fit_on_a_screen() -> None:
    """A function's body has at most 40 lines."""
    long = [
        f"{name(path)}:{one.lineno} {one.name}" for path in MODULES for one in functions(path) if body_lines(one) > 40
    ]

    assert long == []


def test_handlers_are_thin() -> None:
    """Parse, call one thing, return: at most 12 lines."""
    handlers = [(path, one) for path in MODULES for one in functions(path) if is_handler(one)]

    assert handlers, "no handler was recognised: this test would pass on anything"
    assert [f"{name(path)} {one.name}" for path, one in handlers if body_lines(one) > 12] == []


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_words_are_the_fields(path: Path) -> None:
    """No public name says Manager, Helper, Util, Impl or Base; no module is a drawer for everything."""
    assert path.name not in BANNED_FILES
    classes = [node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)]
    assert [one for one in classes if not one.startswith("_") and one.endswith(BANNED_WORDS)] == []


@pytest.mark.parametrize("path", [one for one in MODULES if one.read_text().strip()], ids=name)
def test_a_module_says_what_it_owns(path: Path) -> None:
    """The first statement of every module is a docstring."""
    assert ast.get_docstring(ast.parse(path.read_text()))


def blocks(folder: Path) -> dict[tuple[str, ...], str]:
    found = {}
    for path in folder.rglob("*.py"):
        lines = [line.strip() for line in path.read_text().splitlines()]
        lines = [line for line in lines if line and not line.startswith(("#", "import ", "from "))]
        for start in range(len(lines) - TWIN_LINES + 1):
            found[tuple(lines[start : start + TWIN_LINES])] = f"{name(path)}: {lines[start]}"
    return found


def test_no_two_bffs_are_twins() -> None:
    """No eight equal lines in two BFFs: what they share is mechanism, and that lives in ``shared/``."""
    bffs = [path for path in sorted((ROOT / "bffs").iterdir()) if path.is_dir()]
    assert len(bffs) > 1

    for left, right in combinations(bffs, 2):
        ours, theirs = blocks(left), blocks(right)
        assert {ours[block]: theirs[block] for block in ours.keys() & theirs.keys()} == {}
