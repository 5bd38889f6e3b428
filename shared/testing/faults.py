"""What a scripted backend does to those who call it. Every fault is a frozen value; set it, and set another.

backends[ORDERS].fault(slow(0.3))          # from now on; ``well()`` ends it
backends[ORDERS].fault(flaky("x."))        # every other call fails
backends[USERS].fault(down())              # connections are refused, open ones are reset

No luck: time passes on the kit's clock, which a test may turn by hand, and ``held`` waits for the test's own event.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.testing.playing import (
    Answer,
    Door,
    Drip,
    Fault,
    Flaky,
    Gate,
    Held,
    Mixed,
    Raw,
    Shut,
    Silent,
    Slow,
    Then,
    Well,
)

PAGE: Final = b"<!doctype html><title>Welcome</title>"


def well() -> Fault:
    """Answer as declared: one of the lots of ``mixed``."""
    return Well()


def slow(seconds: float) -> Fault:
    """Answer well after so many seconds of the kit's clock."""
    return Slow(seconds)


def held(gate: Gate) -> Fault:
    """Answer well as soon as ``await gate.wait()`` returns: an ``asyncio.Event`` or ``Barrier`` of the test."""
    return Held(gate)


def silent() -> Fault:
    """Never answer; ends when the caller leaves."""
    return Silent()


def down() -> Fault:
    """Refuse connections; those that are open are reset."""
    return Shut(Door.CLOSED)


def hangs_up() -> Fault:
    """Accept a connection and close it before anything is asked."""
    return Shut(Door.SLAMS)


def reset(after: bytes = b"") -> Fault:
    """Read the request, write ``after``, then RST."""
    return Raw(after, "reset")


def raw(data: bytes, then: Then = "keep") -> Fault:
    """Write exactly these bytes; then keep, close or reset the connection."""
    return Raw(data, then)


def answer(code: int = 200, body: bytes = b"", **headers: str) -> Fault:
    """Answer otherwise. Header names are written with underscores: ``answer(302, location="/x")``."""
    return Raw(Answer(code, body, tuple((name.replace("_", "-"), value) for name, value in headers.items())).raw())


def status(code: int, *, retry_after: int | None = None) -> Fault:
    """Answer with a bare status; ``retry_after`` in seconds."""
    return answer(code) if retry_after is None else answer(code, retry_after=str(retry_after))


def invalid(body: object = PAGE, content_type: str = "application/json") -> Fault:
    """Answer 200 with what does not fit: a page of HTML unless told otherwise; ``bytes`` as they are, else as JSON."""
    if body is PAGE:
        return answer(200, PAGE, content_type="text/html")
    return answer(200, body if isinstance(body, bytes) else json.dumps(body).encode(), content_type=content_type)


def drip(pause_s: float, size: int = 1) -> Fault:
    """Answer well, ``size`` bytes at a time, with a pause before each piece."""
    return Drip(pause_s, size)


def flaky(failing: int | str = 1, fault: Fault | None = None) -> Fault:
    """Fail the first ``failing`` calls, or those with an ``x`` in a pattern that repeats (``"x."``: every other)."""
    if isinstance(failing, int):
        return Flaky("x" * failing, fault or status(503), repeats=False)
    return Flaky(failing, fault or status(503), repeats=True)


def mixed(seed: int, weights: Mapping[Fault, float]) -> Fault:
    """Draw one of these for each call, by weight."""
    return Mixed(seed, tuple(weights), tuple(weights.values()))


# What every screen should survive, by the names that goldens get.
USUAL_FAULTS: Final[Mapping[str, Fault]] = MappingProxyType(
    {
        "down": down(),
        "silent": silent(),
        "slow": slow(10),
        "reset": reset(),
        "faulted": status(500),
        "busy": status(503, retry_after=7),
        "refused": status(403),
        "invalid": invalid(),
    }
)
