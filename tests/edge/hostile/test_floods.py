"""Floods, each bounded in count and time: whoever sends one is sent away, and the others are served all the while.

What Envoy gives up at is Envoy's (its HTTP/2 counters), or ours (streams, headers, buffers, times: ``listeners.py``);
here stands only that there is an end, that it comes in time, and what it cost.
"""

import socket
import ssl
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from shared.grpc import frames
from tests.edge.hostile.http2 import CLOSED, GET, POST, Http2, changed
from tests.edge.hostile.rows import SILENCE
from tests.edge.hostile.wire import Wire

# The most of one kind that is sent; an attacker would go on.
MANY = 20_000
# Growth of Envoy's memory under any one flood. One connection may hold its buffers, not what it sent.
MOST_BYTES = 30_000_000
SERVED_WITHIN_S = 2.0


def rapid_reset(http2: Http2, number: int) -> bytes:
    stream = 2 * number + 1
    return http2.head(stream) + frames.reset(stream, frames.CANCEL)


def made_you_reset(http2: Http2, number: int) -> bytes:
    """CVE-2025-8671: not the client resets, it makes the server do so, when the request is on its way."""
    stream = 2 * number + 1
    return http2.head(stream, changed(path="/open/hold")) + frames.window_update(stream, 0)


def continuation(http2: Http2, number: int) -> bytes:
    if number == 0:
        return http2.head(1, GET, frames.END_STREAM)
    return frames.frame(frames.CONTINUATION, 0, 1, http2.encoder.encode([(f"x-{number}", "y" * 50)]))


def empty_continuation(http2: Http2, number: int) -> bytes:
    return http2.head(1, GET, 0) if number == 0 else frames.frame(frames.CONTINUATION, 0, 1)


def hpack_bomb(http2: Http2, number: int) -> bytes:
    """One entry of 4 KB in the table, and then two bytes for each time that it is meant."""
    if number == 0:
        return http2.head(1, [*GET, ("x-a", "b" * 3_000)])
    return http2.head(2 * number + 1, [*GET, *[("x-a", "b" * 3_000)] * 1_000])


def empty_data(http2: Http2, number: int) -> bytes:
    return http2.head(1, POST, frames.END_HEADERS) if number == 0 else frames.frame(frames.DATA, 0, 1)


def priority(http2: Http2, number: int) -> bytes:
    return frames.frame(frames.PRIORITY, 0, 2 * number + 1, bytes(5))


def streams(http2: Http2, number: int) -> bytes:
    """Never ended, so that each one counts."""
    return http2.head(2 * number + 1, POST, frames.END_HEADERS)


def pings(_: Http2, number: int) -> bytes:
    return frames.frame(frames.PING, 0, 0, number.to_bytes(8, "big"))


def settings(_: Http2, number: int) -> bytes:
    return frames.settings({frames.INITIAL_WINDOW_SIZE: 65_535 + number % 2})


def window_updates(http2: Http2, number: int) -> bytes:
    return http2.head(1, POST, frames.END_HEADERS) if number == 0 else frames.window_update(1, 1)


FLOODS = (
    rapid_reset, made_you_reset, continuation, empty_continuation, hpack_bomb, empty_data, priority, pings, settings,
    window_updates,
)  # fmt: skip


@pytest.mark.parametrize("flood", FLOODS)
def test_who_floods_is_sent_away(attacked, recorder, flood: Callable[[Http2, int], bytes]):
    """Before it has sent all, with bounded memory; the upstream gets no more than a connection may have under way."""
    memory, before = resident(attacked), len(recorder.requests)
    if flood is made_you_reset:
        recorder.hold()
    with Http2(attacked) as http2:
        sent = pour(http2, flood)
        assert serves(attacked) < SERVED_WITHIN_S
        assert sent < MANY or http2.until_closed(), "never sent away"
    recorder.release()
    assert len(recorder.requests) - before < 1_000
    assert resident(attacked) - memory < MOST_BYTES


def pour(http2: Http2, flood: Callable[[Http2, int], bytes]) -> int:
    """Send without reading, as long as the other side takes it; return how many were sent."""
    http2.socket.settimeout(5)
    for number in range(0, MANY, 10):
        pieces = b"".join(flood(http2, one) for one in range(number, number + 10))
        try:
            if not http2.send(pieces):
                return number
        except TimeoutError:  # it reads no more: as good as sent away, once it is
            return number
    return MANY


def test_streams_beyond_the_limit_are_refused(attacked, recorder):
    """100 at a time; the ones beyond are not held, and a stream that ended makes room."""
    before = len(recorder.requests)
    with Http2(attacked) as http2:
        http2.send(b"".join(streams(http2, number) for number in range(150)))
        assert http2.outcome(299) in (1, CLOSED)
    assert len(recorder.requests) == before


def test_a_client_that_never_reads_holds_its_own_buffers_only(attacked, recorder):
    """100 answers of a megabyte, a window of nothing: the edge stops reading from the upstream."""
    memory = resident(attacked)
    with Http2(attacked, {frames.INITIAL_WINDOW_SIZE: 0}) as http2:
        for number in range(100):
            http2.send(http2.head(2 * number + 1, changed(path="/open/large")))
        assert http2.outcome(1) == 200
        assert serves(attacked) < SERVED_WITHIN_S
        assert resident(attacked) - memory < MOST_BYTES
    assert b"x" not in http2.bodies.get(1, b"")


def test_each_of_many_pipelined_requests_is_judged(attacked, recorder):
    """In order; none is lost, none is taken for a part of another."""
    paths = [f"/open/{number}" for number in range(300)]
    with Wire.to(attacked) as wire:
        wire.send("".join(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n" for path in paths).encode())
        answers = [wire.answer() for _ in paths]
    assert [answer.body.decode() for answer in answers] == paths


def test_refusals_do_not_pile_up(attacked, recorder):
    """A client that asks for one after the other, and reads none, is sent away."""
    before = len(recorder.requests)
    with Wire.to(attacked) as wire:
        wire.send(b"GET /secured/x HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2_000)
        answers = []
        while (answer := wire.answer()) is not None:
            answers.append(answer.status)
    assert set(answers) == {401}
    assert len(answers) < 100
    assert len(recorder.requests) == before


SLOW = {
    "half a request line": b"GET /op",
    "a header without an end": b"GET /open/x HTTP/1.1\r\nHost: localhost\r\nX-A: b",
    "a body that never comes": b"POST /open/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n",
    "a chunk that never comes": b"POST /open/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n",
    "an expectation": b"POST /open/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
    "an unknown path": b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n",
}


def test_who_is_slow_is_sent_away(attacked, recorder):
    """30 of each, a byte now and then: all are gone within the request's second and a little, none reached anybody."""
    before = len(recorder.requests)
    with ExitStack() as stack:
        wires = [(name, stack.enter_context(Wire.to(attacked))) for name in SLOW for _ in range(30)]
        begun = time.monotonic()
        for name, wire in wires:
            wire.send(SLOW[name])
        for _ in range(3):
            time.sleep(0.2)  # a slow client's own pace
            for name, wire in wires:
                wire.send(b"x" if "expect" not in name else b"")
        assert serves(attacked) < SERVED_WITHIN_S
        ends = {(name, answer.status if (answer := wire.answer()) else SILENCE) for name, wire in wires}
    assert {status for _, status in ends} <= {SILENCE, 404, 408}, ends
    assert time.monotonic() - begun < 6
    assert len(recorder.requests) - before <= 1  # the one that asks whether it serves


def test_who_never_finishes_its_handshake_is_sent_away(attacked):
    """No first byte, half a first message, or silence after it: a connection without a request is worth nothing."""
    hello = client_hello()
    with ExitStack() as stack:
        opened = [
            (sent, stack.enter_context(socket.create_connection(("127.0.0.1", attacked.port), timeout=8)))
            for sent in (b"", hello[:20], hello, b"GET / HTTP/1.1\r\n\r\n")
        ]
        for sent, bare in opened:
            bare.sendall(sent)
        for sent, bare in opened:
            assert ends(bare), sent


def client_hello() -> bytes:
    """Return the first flight of a TLS client."""
    out = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost")
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return out.read()


def ends(bare: socket.socket) -> bool:
    """Whether the other side closes; its own handshake bytes may come before."""
    with suppress(ConnectionError):
        while bare.recv(65536):
            pass
    return True


def serves(edge) -> float:
    """Return how long another client waits for its answer, connection included."""
    begun = time.monotonic()
    with edge.client() as client:
        assert client.get("/open/meanwhile").status_code == 200
    return time.monotonic() - begun


def resident(edge) -> int:
    """Return Envoy's memory in bytes."""
    return int(Path(f"/proc/{edge.envoy_pid()}/statm").read_text().split()[1]) * 4096
