"""Screens of up to five sections, one a backend."""

from typing import Any

from shared.backends.backend import Backend
from shared.backends.fanout import COMPOSE_RESERVE
from shared.backends.sections import Sections, nullable
from shared.errors import Reason
from shared.testing.scripted import reply
from tests.shared.backends.screen import Item, backend

RESERVE_S = COMPOSE_RESERVE.total_seconds()
OK = reply({"id": 1})


def screen(*backends: Backend, declare: Any = nullable) -> type[Sections]:
    """Return a screen with one section a backend: ``one``, ``two``, ``three`` ..."""
    named = zip(("one", "two", "three", "four", "five"), backends, strict=False)
    return type("Screen", (Sections,), {name: declare(owner.get("/x", into=Item)) for name, owner in named})


THREE = [backend(name) for name in ("users", "orders", "alerts")]


def reasons(got: Sections) -> dict[str, Reason]:
    return {gap.section: gap.reason for gap in got.degraded}
