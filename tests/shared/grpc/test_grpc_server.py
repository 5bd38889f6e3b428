"""HTTP/2 and gRPC as RFC 9113 and gRPC's own protocol want them, with an honest client and with dishonest ones."""

import asyncio

import grpc
import pytest
from hpack import Encoder

from shared.grpc import calls, connection, frames
from tests.shared.grpc.peers import HEADERS, PATH, Echo, Peer, serving, wrapped


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def served(echo):
    async with serving(echo) as running:
        yield running


@pytest.fixture
async def peer(served) -> Peer:
    return await served[2]()


def settings_acks(peer: Peer) -> list:
    return [one for one in peer.received if one[0] == frames.SETTINGS and one[1] & frames.ACK]


async def test_grpcs_own_client_is_served(served, echo):
    """Two thousand calls of 64 tasks: each gets its own answer; errors have their status."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{served[1]}") as channel:
        say = channel.unary_unary(PATH)

        async def talk(number: int) -> None:
            for turn in range(30):
                message = f"{number}-{turn}".encode() * (1 + turn)
                assert await say(message, timeout=20) == message

        await asyncio.gather(*(talk(number) for number in range(64)))
        for call, message, code in (
            ("/test.Echo/None", b"x", grpc.StatusCode.UNIMPLEMENTED),
            (PATH, b"x" * (calls.MAX_MESSAGE + 1), grpc.StatusCode.RESOURCE_EXHAUSTED),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await channel.unary_unary(call)(message, timeout=20)
            assert error.value.code() is code


async def test_case_l7_who_leaves_never_gets_another_s_answer(served, echo):
    """A thousand rounds: A leaves before its answer, B asks something else on the same connection."""
    echo.hold = True
    async with grpc.aio.insecure_channel(f"127.0.0.1:{served[1]}") as channel:
        say = channel.unary_unary(PATH)
        for number in range(1000):
            left = say(f"a{number}".encode())
            await asyncio.sleep(0)
            left.cancel()
            stays = asyncio.ensure_future(_said(say, f"b{number}".encode()))
            async with asyncio.timeout(10):
                await echo.hears(f"b{number}".encode())
            echo.let_go()
            assert await stays == f"b{number}".encode()
        assert served[0].connections == 1


async def _said(say, message: bytes) -> bytes:
    return await say(message, timeout=20)


async def test_a_late_answer_is_a_deadline_exceeded(peer, echo):
    """Nobody is told OK after its own timeout."""
    echo.hold = True
    peer.ask(1, b"x", [*HEADERS, ("grpc-timeout", "1m")])
    await peer.until(lambda: settings_acks(peer))
    await asyncio.sleep(0.005)  # the millisecond that the caller gave
    echo.let_go()
    assert await peer.status(1) == calls.DEADLINE_EXCEEDED


async def test_headers_with_the_peer_s_table_and_without_read_alike(served):
    """Before a peer has seen that we want no table it may use one; afterwards it says so, and goes without."""
    peer = await served[2](greet=False)
    peer.encoder = Encoder()
    peer.send(frames.PREFACE, frames.settings({}))
    for stream in (1, 3, 5):
        peer.ask(stream, b"with")
        assert await peer.answer(stream) == b"with"
    peer.send(frames.frame(frames.SETTINGS, frames.ACK, 0))
    peer.encoder.header_table_size = 0
    for stream in range(7, 21, 2):
        peer.ask(stream, b"without", [*HEADERS, ("traceparent", f"00-{stream:032x}-{stream:016x}-01")])
        assert await peer.answer(stream) == b"without"


async def test_a_peer_that_keeps_its_table_after_all_is_ended(served):
    """It acknowledged our settings and did not do as they say (RFC 7541 §4.2)."""
    peer = await served[2](greet=False)
    peer.encoder = Encoder()
    peer.send(frames.PREFACE, frames.settings({}), frames.frame(frames.SETTINGS, frames.ACK, 0))
    peer.ask(1, b"x")
    assert await peer.goaway() == frames.COMPRESSION_ERROR


@pytest.mark.parametrize("first", [0, 1, 7])
async def test_an_answer_waits_for_the_window_and_comes_in_pieces(served, first):
    """Flow control: as much as the peer has room for, the rest when it has more; others are not held up."""
    peer = await served[2](greet=False)
    peer.greet({frames.INITIAL_WINDOW_SIZE: first})
    message = bytes(range(200))
    peer.ask(1, message)
    peer.ask(3, b"other")
    await peer.until(lambda: len(peer.of(frames.HEADERS)) == 2)
    peer.send(frames.window_update(3, 100))
    assert await peer.answer(3) == b"other"
    assert sum(map(len, [one[3] for one in peer.received if one[0] == frames.DATA and one[2] == 1])) == first
    peer.send(frames.window_update(1, 50))
    peer.send(frames.settings({frames.INITIAL_WINDOW_SIZE: first + 500}))
    assert await peer.answer(1) == message


async def test_the_connections_own_window_is_kept_too(served):
    """65,535 bytes in all until the peer gives more, whatever each stream may have."""
    peer = await served[2](greet=False)
    peer.greet({frames.INITIAL_WINDOW_SIZE: frames.MAX_WINDOW})
    message = b"m" * 10_000
    for number in range(10):
        peer.ask(2 * number + 1, message)
    await peer.until(lambda: sum(map(len, peer.of(frames.DATA))) >= frames.DEFAULT_WINDOW)
    assert sum(map(len, peer.of(frames.DATA))) == frames.DEFAULT_WINDOW
    peer.send(frames.window_update(0, 100_000))
    for number in range(10):
        assert await peer.answer(2 * number + 1) == message


async def test_more_than_a_megabyte_may_come_over_one_connection(peer):
    """What we have read is given back: the connection's window never runs dry."""
    message = b"m" * 15_000
    peer.send(frames.window_update(0, 2_000_000))
    for number in range(100):
        peer.ask(2 * number + 1, message)
        assert await peer.answer(2 * number + 1) == message
    given = sum(int.from_bytes(one, "big") for one in peer.of(frames.WINDOW_UPDATE))
    assert given >= connection.RECEIVE_WINDOW - frames.DEFAULT_WINDOW + 1_000_000


async def test_a_header_block_in_pieces_and_with_padding_is_one_block(peer):
    """CONTINUATION, padding, priority: read, and thrown away."""
    block = peer.encoder.encode(HEADERS)
    first = b"\x04" + b"\0\0\0\0\x10" + block[:7] + b"pads"
    peer.send(
        frames.frame(frames.HEADERS, frames.PADDED | frames.HAS_PRIORITY, 1, first),
        frames.frame(frames.CONTINUATION, 0, 1, block[7:20]),
        frames.frame(frames.CONTINUATION, frames.END_HEADERS, 1, block[20:]),
        frames.frame(frames.DATA, frames.PADDED, 1, b"\x02" + wrapped(b"padded")[:4] + b"xx"),
        frames.frame(frames.DATA, 0, 1, wrapped(b"padded")[4:]),
        frames.frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, 1, peer.encoder.encode([("t", "1")])),
    )
    assert await peer.answer(1) == b"padded"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", calls.INVALID_ARGUMENT),
        (wrapped(b"abc")[:-1], calls.INVALID_ARGUMENT),
        (wrapped(b"abc") + b"d", calls.INVALID_ARGUMENT),
        (b"\x01" + wrapped(b"abc")[1:], calls.UNIMPLEMENTED),
    ],
)
async def test_what_is_no_message_is_refused_alone(peer, body, status):
    """The call gets its status, the connection goes on."""
    peer.send(peer.head(1), peer.data(1, body))
    assert await peer.status(1) == status
    peer.ask(3, b"next")
    assert await peer.answer(3) == b"next"


async def test_a_handler_that_breaks_ends_its_call_alone(caplog):
    """INTERNAL, no word of why, and the connection goes on."""

    def breaks(message: bytes, reply) -> None:
        reply(bytes(1 // len(message)))

    async with serving(breaks) as (_, _, connect):
        peer = await connect()
        peer.ask(1, b"")
        assert await peer.status(1) == calls.INTERNAL
        assert b"division" not in b"".join(peer.of(frames.HEADERS))
        peer.ask(3, b"x")
        assert await peer.answer(3) == b"\0"


BLOCK = Encoder().encode(HEADERS)
WRONG = {
    "too_large_a_frame": (frames.FRAME_SIZE_ERROR, (20_000).to_bytes(3, "big") + b"\0\0\0\0\0\1"),
    "even_stream": (frames.PROTOCOL_ERROR, frames.frame(frames.HEADERS, frames.END_HEADERS, 2, BLOCK)),
    "data_of_nothing": (frames.STREAM_CLOSED, frames.frame(frames.DATA, 0, 1, b"x")),
    "reset_of_nothing": (frames.PROTOCOL_ERROR, frames.reset(1, frames.CANCEL)),
    "window_of_nothing": (frames.PROTOCOL_ERROR, frames.window_update(1, 1)),
    "window_of_zero": (frames.PROTOCOL_ERROR, frames.window_update(0, 0)),
    "window_too_large": (frames.FLOW_CONTROL_ERROR, frames.window_update(0, frames.MAX_WINDOW)),
    "settings_on_a_stream": (frames.PROTOCOL_ERROR, frames.frame(frames.SETTINGS, 0, 1, b"")),
    "settings_cut": (frames.FRAME_SIZE_ERROR, frames.frame(frames.SETTINGS, 0, 0, b"12345")),
    "settings_ack_loaded": (frames.FRAME_SIZE_ERROR, frames.frame(frames.SETTINGS, frames.ACK, 0, b"123456")),
    "settings_window": (frames.FLOW_CONTROL_ERROR, frames.settings({frames.INITIAL_WINDOW_SIZE: 2**31})),
    "settings_frame": (frames.PROTOCOL_ERROR, frames.settings({frames.MAX_FRAME_SIZE: 100})),
    "settings_push": (frames.PROTOCOL_ERROR, frames.settings({frames.ENABLE_PUSH: 2})),
    "ping_cut": (frames.FRAME_SIZE_ERROR, frames.frame(frames.PING, 0, 0, b"short")),
    "push": (frames.PROTOCOL_ERROR, frames.frame(frames.PUSH_PROMISE, frames.END_HEADERS, 1, b"\0\0\0\2" + BLOCK)),
    "interrupted": (frames.PROTOCOL_ERROR, frames.frame(frames.HEADERS, 0, 1, BLOCK) + frames.frame(6, 0, 0, b"8" * 8)),
    "continuation_of_nothing": (frames.PROTOCOL_ERROR, frames.frame(frames.CONTINUATION, 4, 1, BLOCK)),
    "padding": (frames.PROTOCOL_ERROR, frames.frame(frames.HEADERS, 0xC, 1, b"\xffabc")),
    "bad_block": (frames.COMPRESSION_ERROR, frames.frame(frames.HEADERS, frames.END_HEADERS, 1, b"\xff\xff\xff\xff")),
    "block_cut": (frames.COMPRESSION_ERROR, frames.frame(frames.HEADERS, frames.END_HEADERS, 1, BLOCK[:-1])),
    "huffman": (frames.COMPRESSION_ERROR, frames.frame(frames.HEADERS, 4, 1, b"\x44\x84\xff\xff\xff\xff")),
}  # fmt: skip


@pytest.mark.parametrize("fault", WRONG)
async def test_who_breaks_the_protocol_is_told_and_ended(served, fault):
    """A GOAWAY with the code that RFC 9113 has for it; others are served on."""
    code, data = WRONG[fault]
    bad, good = await served[2](), await served[2]()
    bad.send(data)
    assert await bad.goaway() == code
    good.ask(1, b"still here")
    assert await good.answer(1) == b"still here"


FLOODS = {
    "pings": lambda peer, n: frames.frame(frames.PING, 0, 0, b"12345678"),
    "settings": lambda peer, n: frames.settings({}),
    "resets": lambda peer, n: peer.head(2 * n + 1) + frames.reset(2 * n + 1, frames.CANCEL),
    "empty_data": lambda peer, n: (peer.head(1) if n == 0 else b"") + frames.frame(frames.DATA, 0, 1, b""),
    "continuations": lambda peer, n: frames.frame(frames.HEADERS if n == 0 else frames.CONTINUATION, 0, 1, b""),
    "priorities": lambda peer, n: frames.frame(frames.PRIORITY, 0, 2 * n + 1, b"\0\0\0\0\1"),
    "unknown": lambda peer, n: frames.frame(0xEE, 0, 0, b"?"),
    "refused": lambda peer, n: peer.head(2 * n + 1) + peer.data(2 * n + 1, b""),
}


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_flood_that_brings_no_calls_is_ended(served, echo, flood):
    """Resets, pings and the like, two thousand of them: a GOAWAY that asks for calm; others are served on."""
    echo.hold = flood == "resets"
    bad, good = await served[2](), await served[2]()
    bad.send(*(FLOODS[flood](bad, n) for n in range(2 * connection.MAX_IDLE_FRAMES)))
    assert await bad.goaway() == frames.ENHANCE_YOUR_CALM
    echo.hold = False
    good.ask(1, b"calm")
    assert await good.answer(1) == b"calm"


async def test_a_header_bomb_is_ended(peer):
    """Many small pieces that make a huge block, or a small block that makes huge headers."""
    peer.send(frames.frame(frames.HEADERS, 0, 1, BLOCK))
    peer.send(*(frames.frame(frames.CONTINUATION, 0, 1, b"\0\1a\1b" * 200) for _ in range(20)))
    assert await peer.goaway() == frames.ENHANCE_YOUR_CALM


async def test_a_small_block_of_huge_headers_is_ended(served):
    """One big entry in the table, named thousands of times."""
    peer = await served[2](greet=False)
    peer.send(frames.PREFACE, frames.settings({}))
    big = b"\x40\1a\x7f\xb9\x16" + b"b" * 3000
    peer.send(frames.frame(frames.HEADERS, frames.END_HEADERS, 1, big + b"\xbe" * 5000))
    assert await peer.goaway() == frames.ENHANCE_YOUR_CALM


async def test_more_calls_than_a_limiter_can_have_are_refused_unread(peer, echo):
    """REFUSED_STREAM says that nothing was done; the others get their answers."""
    echo.hold = True
    for number in range(calls.MAX_STREAMS + 5):
        peer.ask(2 * number + 1, b"x")
    await peer.until(lambda: len(peer.of(frames.RST_STREAM)) == 5)
    assert {int.from_bytes(one, "big") for one in peer.of(frames.RST_STREAM)} == {frames.REFUSED_STREAM}
    echo.let_go()
    assert await peer.answer(1) == await peer.answer(2 * calls.MAX_STREAMS - 1) == b"x"


async def test_answers_that_nobody_takes_are_bounded(served):
    """A peer that opens no window gets no more calls in than one that waits for answers."""
    peer = await served[2](greet=False)
    peer.greet({frames.INITIAL_WINDOW_SIZE: 0})
    for number in range(calls.MAX_STREAMS + 5):
        peer.ask(2 * number + 1, b"x")
    await peer.until(lambda: len(peer.of(frames.RST_STREAM)) == 5)


async def test_what_is_no_http2_is_hung_up(served):
    """HTTP/1.1 on this port: there is no language to answer in."""
    peer = await served[2](greet=False)
    peer.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await peer.until(lambda: peer.closed)


async def test_who_leaves_lets_calls_on_their_way_finish(served, echo):
    """GOAWAY first, then, once the peer has seen it, the last word; what came before is answered."""
    server, _, connect = served
    peer = await connect()
    echo.hold = True
    peer.ask(1, b"before")
    await peer.until(lambda: settings_acks(peer))
    stopping = asyncio.create_task(server.stop(10))
    await peer.until(lambda: peer.of(frames.PING))
    peer.ask(3, b"on its way")
    peer.send(frames.frame(frames.PING, frames.ACK, 0, peer.of(frames.PING)[0]))
    await peer.until(lambda: len(peer.of(frames.GOAWAY)) == 2)
    assert [int.from_bytes(one[:4], "big") for one in peer.of(frames.GOAWAY)] == [frames.MAX_STREAM_ID, 3]
    echo.let_go()
    assert (await peer.answer(1), await peer.answer(3)) == (b"before", b"on its way")
    await stopping
    await peer.until(lambda: peer.closed)
    with pytest.raises(OSError, match=r"refused|reset|Connect"):
        await connect()


async def test_a_peer_that_does_not_read_is_not_read(served):
    """A megabyte of answers that nobody takes: its requests stop being taken, too, and memory stays bounded."""
    peer = await served[2](greet=False)
    peer.greet({frames.INITIAL_WINDOW_SIZE: frames.MAX_WINDOW})
    peer.send(frames.window_update(0, frames.MAX_WINDOW - frames.DEFAULT_WINDOW))
    peer.reader._transport.pause_reading()
    sent = 0
    for number in range(3_000):
        peer.ask(2 * number + 1, b"m" * 15_000)
        sent += 15_000
        await asyncio.sleep(0)
    assert peer.writer.transport.get_write_buffer_size() > sent / 2, "it was read on and on"
    peer.reader._transport.resume_reading()
    assert await peer.answer(1) == b"m" * 15_000
