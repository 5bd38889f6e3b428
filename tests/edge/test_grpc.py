"""gRPC and gRPC-Web through the real Envoy, to a real gRPC server."""

import asyncio
import base64
import struct
import threading
from typing import Self

import grpc
import pytest

from tests.edge.edges import RunningEdge, wait_for

TEXT = """
listeners:
  public:
    address: ${EDGE_PUBLIC_ADDRESS}
    hosts: [localhost]
    tls: {certificate: "${EDGE_CERTIFICATE}", key: "${EDGE_KEY}"}
routes:
  - {name: words, match: {path: "/words.Words/{method}", methods: [POST]}, cluster: words, timeout: 5s, streaming: true}
clusters:
  words: {endpoints: ["${WORDS}"], protocol: http2}
telemetry: {traces: ""}
admin: {address: "${EDGE_ADMIN_ADDRESS}"}
operations: {address: "${EDGE_OPERATIONS_ADDRESS}"}
"""


class Words:
    """A gRPC server of plain bytes: echo, count up, sum up, fail."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = grpc.aio.server()
        handlers = {
            "Echo": grpc.unary_unary_rpc_method_handler(self._echo),
            "Count": grpc.unary_stream_rpc_method_handler(self._count),
            "Chat": grpc.stream_stream_rpc_method_handler(self._chat),
            "Fail": grpc.unary_unary_rpc_method_handler(self._fail),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("words.Words", handlers),))
        self.port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        self._ready.set()
        await self._stop.wait()
        await server.stop(1)

    async def _echo(self, request, context):
        return request

    async def _count(self, request, context):
        for number in range(int(request)):
            yield b"%d" % number

    async def _chat(self, requests, context):
        async for word in requests:
            yield word.upper()

    async def _fail(self, request, context):
        await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not now")


@pytest.fixture(scope="module")
def edge(new_edge):
    with Words() as words:
        yield new_edge(TEXT, WORDS=f"127.0.0.1:{words.port}")


@pytest.fixture
def channel(edge: RunningEdge):
    credentials = grpc.ssl_channel_credentials(edge.ca.read_bytes())
    with grpc.secure_channel(f"localhost:{edge.port}", credentials) as made:
        grpc.channel_ready_future(made).result(timeout=15)
        yield made


def test_calls_streams_and_statuses_pass(channel):
    """One for one, one for many, many for many word by word, and a failure with its own status and text."""
    assert channel.unary_unary("/words.Words/Echo")(b"hello", timeout=10) == b"hello"
    assert list(channel.unary_stream("/words.Words/Count")(b"3", timeout=10)) == [b"0", b"1", b"2"]
    said = threading.Semaphore(0)

    def words():
        for word in (b"one", b"two"):
            yield word
            said.acquire(timeout=10)  # the next one only when the first is answered: nothing is held back

    answers = channel.stream_stream("/words.Words/Chat")(words(), timeout=10)
    heard = []
    for answer in answers:
        heard.append(answer)
        said.release()
    assert heard == [b"ONE", b"TWO"]
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/words.Words/Fail")(b"", timeout=10)
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.FAILED_PRECONDITION, "not now")


def test_what_the_edge_refuses_is_a_grpc_status(channel):
    """A method of a service that nobody serves: gRPC's own UNIMPLEMENTED, not an HTML page."""
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/other.Other/Echo")(b"", timeout=10)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("media", ["application/grpc-web+proto", "application/grpc-web-text+proto"])
def test_browsers_speak_grpc_web(edge, media):
    """Frames in the body, trailers as the last frame; as bytes, or as base64 for those who cannot stream bytes."""
    frame = b"\x00" + struct.pack(">I", 5) + b"hello"
    text = media.startswith("application/grpc-web-text")
    with edge.client(http2=False) as client:
        wait_for(lambda: client.get("/").status_code, "the edge answers")
        answer = client.post(
            "/words.Words/Echo", content=base64.b64encode(frame) if text else frame,
            headers={"content-type": media, "accept": media, "x-grpc-web": "1"},
        )  # fmt: skip
    assert answer.status_code == 200
    body = _decoded(answer.content) if text else answer.content
    assert body.startswith(frame)
    trailers = body[len(frame) :]
    assert trailers[0] == 0x80
    assert b"grpc-status:0" in trailers


def _decoded(body: bytes) -> bytes:
    """Decode base64 that was padded at each frame."""
    decoded, rest = b"", body
    while rest:
        end = rest.find(b"=")
        end = len(rest) if end < 0 else end + (2 if rest[end : end + 2] == b"==" else 1)
        decoded += base64.b64decode(rest[:end])
        rest = rest[end:]
    return decoded
