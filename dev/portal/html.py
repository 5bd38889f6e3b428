"""HTML from Python: an element is a function call, and text is always escaped.

tag("a", "orders & more", href="/x", class_="quiet")
"""

from collections.abc import Iterable
from html import escape
from typing import Final

# Elements that have no end (HTML §13.1.2).
_VOID: Final = {"br", "hr", "img", "input", "link", "meta"}


class Html(str):
    """Text that is HTML already: the one kind that is not escaped."""

    __slots__ = ()


Part = Html | str | None


def tag(name: str, /, *inside: Part, **attributes: str | bool | None) -> Html:
    """Return an element. ``class_`` is ``class``, ``data_x`` is ``data-x``; True is a bare attribute, None is none."""
    said = "".join(_attribute(key, value) for key, value in attributes.items() if value not in (None, False))
    return Html(f"<{name}{said}>" if name in _VOID else f"<{name}{said}>{joined(inside)}</{name}>")


def joined(parts: Iterable[Part]) -> Html:
    """Put parts behind one another; text becomes HTML."""
    return Html("".join(one if isinstance(one, Html) else escape(one or "") for one in parts))


def prose(text: str) -> Html:
    """Return text in which `ticks` are code."""
    return joined(tag("code", part) if odd % 2 else part for odd, part in enumerate(text.split("`")))


def _attribute(key: str, value: str | bool | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
