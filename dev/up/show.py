"""What a person sees while a copy starts, runs and stops: one aligned line an event, coloured only on a terminal."""

import os
import sys
from collections.abc import Iterable
from typing import Final, TextIO

from dev.up.plan import ProcessSpec

GREEN: Final = "32"
RED: Final = "31"
YELLOW: Final = "33"
DIM: Final = "2"


class Show:
    """Writes to ``out``; the columns are as wide as the plan needs."""

    def __init__(self, plan: Iterable[ProcessSpec], out: TextIO | None = None) -> None:
        plan = tuple(plan)
        self._out = out or sys.stdout
        self._colour = self._out.isatty() and not os.environ.get("NO_COLOR")
        self._name = max((len(spec.name) for spec in plan), default=0)
        self._address = max((len(spec.address or "") for spec in plan), default=0)

    def ready(self, spec: ProcessSpec, ms: float) -> None:
        """A service answers."""
        self._event(GREEN, "ready", spec, f"in {ms:6.0f} ms")

    def done(self, spec: ProcessSpec, ms: float) -> None:
        """A service that only has one thing to do has done it."""
        self._event(GREEN, "done ", spec, f"in {ms:6.0f} ms")

    def stopped(self, spec: ProcessSpec, *, clean: bool) -> None:
        """A service is gone."""
        if clean:
            self._event(DIM, "gone ", spec, "")
        else:
            self._event(YELLOW, "ended", spec, "by SIGKILL: it, or a process of its, had not stopped by itself")

    def note(self, text: str) -> None:
        """Say something that is about no single service."""
        self._write(text)

    def failed(self, text: str) -> None:
        """Say what went wrong."""
        self._write(self._paint(RED, text))

    def _event(self, colour: str, word: str, spec: ProcessSpec, rest: str) -> None:
        address = (spec.address or "").ljust(self._address)
        self._write(f"  {self._paint(colour, word)}  {spec.name.ljust(self._name)}  {address}  {rest}".rstrip())

    def _paint(self, colour: str, text: str) -> str:
        return f"\033[{colour}m{text}\033[0m" if self._colour else text

    def _write(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()
