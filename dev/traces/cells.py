"""Text in terminal cells: harmless, measured, cut to fit."""

import unicodedata

from dev.traces.bars import Glyphs

# Control, format (also the ones that turn the reading direction), surrogate, private, unassigned, line separators.
UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def clean(text: str, glyphs: Glyphs) -> str:
    """Replace what a terminal would obey, or, where it speaks ASCII only, what it cannot show."""
    safe = "".join("?" if unicodedata.category(one) in UNSAFE else one for one in text)
    return safe if glyphs.unicode else safe.encode("ascii", "replace").decode()


def width_of(text: str) -> int:
    """Return how many cells the text takes: wide letters take two, combining marks none."""
    return sum(_cells(one) for one in text)


def _cells(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def fit(text: str, cells: int, glyphs: Glyphs) -> str:
    """Cut or pad to exactly ``cells``; a cut is visible."""
    if width_of(text) <= cells:
        return text + " " * (cells - width_of(text))
    kept, used = "", width_of(glyphs.more)
    for letter in text:
        if used + _cells(letter) > cells:
            break
        kept += letter
        used += _cells(letter)
    return kept + glyphs.more + " " * (cells - used)
