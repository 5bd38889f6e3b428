"""The judge of the corpus finds what is wrong: one that finds nothing would prove nothing."""

import pytest

from tests.edge.hostile.recorder import Recorder, Seen

GOOD = {
    "host": "localhost", "x-stamp": "s", "x-deadline-ms": "1900", "x-forwarded-for": "127.0.0.1", "x-request-id": "r",
}  # fmt: skip


def faults(target: str = "/open/x", *more: tuple[str, str], raw: bytes = b"GET / HTTP/1.1\r\n\r\n", **changed: str):
    headers = {**GOOD, **{name.replace("_", "-"): value for name, value in changed.items()}}
    recorder = Recorder("s")
    recorder.tokens.add("Bearer known")
    recorder.requests.append(Seen("GET", target, (*headers.items(), *more), raw))
    return recorder.faults()


def test_what_was_judged_passes():
    """Open and, with a known token, secured; with a body of one framing."""
    assert faults() == []
    assert faults("/secured/x?next=/../%2f", authorization="Bearer known") == []
    assert faults("/open/x", ("content-length", "5")) == []
    assert faults("/open/x", ("transfer-encoding", "chunked")) == []


@pytest.mark.parametrize(
    "found",
    [
        faults(x_stamp="forged"), faults("/open/x", ("x-stamp", "s")), faults("/elsewhere"), faults("/secured/x"),
        faults("/secured/x", authorization="Bearer other"), faults("/secured/smuggled", authorization="Bearer known"),
        faults(x_deadline_ms="99999"), faults(x_deadline_ms="-1"), faults(x_forwarded_for="6.6.6.6"),
        faults("/open/x", ("x-user-id", "victim")), faults("/open/x", ("host", "evil")),
        faults("/open/x", ("content-length", "5"), ("transfer-encoding", "chunked")),
        faults("/open/x", ("content-length", "5"), ("content-length", "5")),
        faults("/open/x", ("transfer-encoding", "identity")), faults("/open/x", ("content-length", "+5")),
        faults("/open//x"), faults("/open/../x"), faults("/open/."), faults("/open/%2e%2e"), faults("/open/x;y"),
        faults("/open/%2Fx"), faults("/open\\x"), faults("/open/\xc0"), faults("/open/x#y"), faults("/open/%00"),
        faults(raw=b"GET / HTTP/1.1\nX: y\r\n\r\n"), faults(raw=b"GET / HTTP/1.1\r\nX: a\rb\r\n\r\n"),
        faults(raw=b"GET / HTTP/1.1\r\nX: a\0b\r\n\r\n"),
    ],
)  # fmt: skip
def test_what_was_not_does_not(found):
    """A stamp, deadline, address, host or framing that is not the edge's own; a second spelling; a token unknown."""
    assert found
