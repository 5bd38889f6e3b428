"""Adds an entry to a block of a YAML file and takes it away again, with every comment and blank line left alone.

Owns where a block ends. Text in, text out; it knows only the YAML that we write: block mappings, two spaces a level.
"""

import re


class SpliceError(Exception):
    """The file has no such block, or no such entry; the message says which."""


def insert(text: str, path: tuple[str, ...], entry: str) -> str:
    """Return ``text`` with ``entry`` (whole lines, already indented) at the end of the block at ``path``."""
    lines = text.splitlines(keepends=True)
    _, end = _block(lines, path)
    return "".join((*lines[:end], entry, *lines[end:]))


def remove(text: str, path: tuple[str, ...]) -> str:
    """Return ``text`` without the entry at ``path``, and without a blank line that only it needed."""
    lines = text.splitlines(keepends=True)
    start, end = _block(lines, path)
    before, after = lines[:start], lines[end:]
    if before and before[-1].isspace() and (not after or after[0].isspace()):
        before.pop()
    return "".join((*before, *after))


def insert_after(text: str, pattern: str, entry: str) -> str:
    """Return ``text`` with ``entry`` behind the last line that begins with ``pattern``."""
    lines = text.splitlines(keepends=True)
    found = [number for number, line in enumerate(lines) if re.match(pattern, line)]
    if not found:
        raise SpliceError(f"no line begins with {pattern}")
    return "".join((*lines[: found[-1] + 1], entry, *lines[found[-1] + 1 :]))


def _block(lines: list[str], path: tuple[str, ...]) -> tuple[int, int]:
    """Return the lines of the entry at ``path``: from its key to behind its last own line."""
    start, end = 0, len(lines)
    for depth, key in enumerate(path):
        head = re.compile(rf"{'  ' * depth}{re.escape(key)}:")
        found = [number for number in range(start, end) if head.match(lines[number])]
        if not found:
            raise SpliceError(f"there is no {'.'.join(path[: depth + 1])}")
        start = found[0]
        end = _end(lines, start, depth)
    return start, end


def _end(lines: list[str], start: int, depth: int) -> int:
    """Return the line behind the last that is deeper than ``depth``; comments above the next entry are that one's."""
    end = start + 1
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if line.isspace() or line.lstrip().startswith("#"):
            continue
        if len(line) - len(line.lstrip()) <= depth * 2:
            break
        end = number + 1
    return end
