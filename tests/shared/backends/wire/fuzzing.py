"""What both fuzz tests share: how long, from which seeds, and what a caller may hear.

A failure names its seed; ``FUZZ_SEED=... pytest`` plays that one first. ``FUZZ_S`` is how long the short runs may take
together, in seconds.
"""

import os
import time
from collections.abc import Iterator
from secrets import randbits

from shared.backends.wire.message import WireReply
from shared.errors import BackendInvalid, BackendUnreachable, CallFailed
from tests.shared.backends.raw import Inbox
from tests.shared.backends.wire.cases import Answer

MAX_BODY = 4096
SHORT_S = float(os.environ.get("FUZZ_S", "60"))
LONG_S = 600.0


def seeds(seconds: float, most: int) -> Iterator[int]:
    """Yield seeds until the time is over, at most so many; each stands for itself.

    The same ones in every short run, so that nobody's change fails by luck; new ones in every long run.
    """
    ends_s = time.monotonic() + seconds
    if "FUZZ_SEED" in os.environ:
        yield int(os.environ["FUZZ_SEED"])
    while time.monotonic() < ends_s and most > 0:
        yield randbits(60) if seconds > SHORT_S else most
        most -= 1


def heard_by(inbox: Inbox) -> Answer | type[CallFailed] | None:
    """Return what was heard: an answer or a declared failure, once; or nothing."""
    assert len(inbox.heard) <= 1, "told twice"
    if not inbox.heard:
        return None
    heard = inbox.heard[0]
    if isinstance(heard, CallFailed):
        assert type(heard) in {BackendInvalid, BackendUnreachable}, heard
        return type(heard)
    assert isinstance(heard, WireReply)
    return Answer(heard.status, heard.body, heard.headers)


def own(number: int) -> bytes:
    """Return the body that only the caller of this number may get."""
    return b'"own %d"' % number


def own_answer(number: int, *more: tuple[str, str]) -> Answer:
    length = ("content-length", str(len(own(number))))
    return Answer(200, own(number), (length, ("content-type", "application/json"), *more))


def asked_for(raw: bytes) -> int:
    """Return the number in a request's target."""
    return int(raw.split(b" ", 2)[1][1:])
