"""uvicorn's HTTP protocol with a short way in and out for hot routes.

Owns the choice between the two ways, and what one answer of the short way does to its connection. uvicorn reads every
request; what then goes to a hot route and is plain (its body here with its head, to be kept alive, nothing else under
way) becomes a ``HotCycle`` in the place of uvicorn's own cycle: one task, one write, no ASGI between. Whatever is odd
goes uvicorn's way to the same handler, and the client cannot tell the difference.
"""

import asyncio
from typing import Any, Final, Protocol

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from shared.asgi.context import Fields, once
from shared.asgi.drain import Drain
from shared.asgi.one_write import OneWrite
from shared.asgi.plain import fields_of, target_of
from shared.identity.hop import is_caller
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

Headers = list[tuple[bytes, bytes]]

LENGTH: Final = b"content-length"
# A request that has one of these has a body without a length, wants a say in the connection, or expects an answer
# before the answer.
ODD: Final = frozenset({b"transfer-encoding", b"upgrade", b"expect"})
CLOSE: Final = b"connection: close\r\n\r\n"


def lines_of(headers: Headers) -> bytes:
    """Return headers as HTTP writes them; there is no line break in any."""
    return b"".join([b"%b: %b\r\n" % field for field in headers])


class HotRoutes(Protocol):
    """What serves the hot routes; ``app.state.front``."""

    def find(self, method: bytes, target: bytes) -> Any | None:
        """Return the route of a request, or None if it is not a hot one. Its ``body`` says whether it takes one."""

    async def serve(self, route: Any, fields: Fields, cycle: "HotCycle") -> None:
        """Answer one request."""


class ServerProtocol(HttpToolsProtocol):
    """One connection of a client."""

    def __init__(self, config: Any, *rest: Any, **more: Any) -> None:
        super().__init__(config, *rest, **more)
        self._hot: HotRoutes = config.app.state.front
        self._drain: Drain = config.app.state.drain
        # Of the one peer that may speak, where only one may (``identity/hop.py``).
        self._caller: str | None = getattr(config.app.state, "caller", None)
        self._idle_since_s = 0.0
        self._at_rest = True  # uvicorn's parser: it is in the middle of nothing, and may get another request
        # A hot request whose body has not come whole, while the bytes that just came are read.
        self._held: tuple[Any, Fields] | None = None
        self._body = b""
        self._said: Headers = []
        self._said_lines = b""

    def data_received(self, data: bytes) -> None:
        """Take a plain request to a hot route out of hand; the parser gets everything else."""
        if self._at_rest and (self.cycle is None or self.cycle.response_complete) and not self.flow.write_paused:
            target = target_of(data)
            route = self._hot.find(b"GET", target)
            fields = None if route is None else fields_of(data, target)
            if fields is not None:
                self._begin(route, fields, None)
                return
        super().data_received(data)
        if self._held is not None:  # its body goes uvicorn's way, which knows how to wait
            self._held = None
            if not self.transport.is_closing():
                self._go_uvicorns_way()
                if self._body:
                    super().on_body(self._body)

    def _begin(self, route: Any, fields: Fields, body: bytes | None) -> None:
        self.cycle = HotCycle(self, self._hot, route, fields, body)  # type: ignore[assignment]  # has what is used
        self._last_one_if_leaving()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take a connection; with a stranger, though an authority vouches for him, there is nothing to talk about."""
        super().connection_made(transport)
        if self._caller is not None and not is_caller(transport.get_extra_info("peercert"), self._caller):
            log.warning("caller_refused", wanted=self._caller)
            transport.abort()

    def on_message_begin(self) -> None:
        """Begin a request with what every one needs; an ASGI scope is made for those that go that way."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._at_rest = False

    def on_headers_complete(self) -> None:
        """Choose the way."""
        route = self._hot.find(self.parser.get_method(), self.url)
        if route is not None and (self.cycle is None or self.cycle.response_complete):
            fields = once(self.headers)
            if self._is_plain(route, fields):
                self._held, self._body = (route, fields), b""
                return
        self._go_uvicorns_way()

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        if self._held is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        """Begin what was held back: all of it has come. Behind a request that is the last, the parser stays."""
        self._at_rest = self.parser.should_keep_alive() and not self.parser.should_upgrade()
        if self._held is None:
            super().on_message_complete()
            return
        (route, fields), self._held = self._held, None
        self._begin(route, fields, self._body if route.body is not None else None)

    def _go_uvicorns_way(self) -> None:
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expect
        self.headers += headers
        super().on_headers_complete()
        self._last_one_if_leaving()

    def _last_one_if_leaving(self) -> None:
        """Answer, and say goodbye with it: a peer that is told does not send into our close (field case O1)."""
        if self._drain.started and self.cycle is not None:
            self.cycle.keep_alive = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        cycle.transport = OneWrite(cycle.transport)  # type: ignore[assignment]  # has what a cycle uses
        super()._start_asgi_task(cycle, app)

    def _is_plain(self, route: Any, fields: Fields) -> bool:
        parser = self.parser
        # The parser has judged the length: digits, once.
        fits = (
            LENGTH not in fields
            if route.body is None
            else int(fields.get(LENGTH, -1)) in range(route.body.most_bytes + 1)
        )
        return (
            fits
            and len(fields) == len(self.headers)
            and ODD.isdisjoint(fields)
            and parser.should_keep_alive()
            and parser.get_http_version() == "1.1"
            and not self.flow.write_paused  # uvicorn's way waits until the client has read
        )

    def own_lines(self) -> bytes:
        """Return what the server itself says in each answer: uvicorn makes a new list each second."""
        said = self.server_state.default_headers
        if said is not self._said:
            self._said, self._said_lines = said, lines_of(said)
        return self._said_lines

    # The timer of an idle connection: uvicorn sets and cancels one for each request. Here one is set and looks, when it
    # rings, whether it is time.

    def _unset_keepalive_if_required(self) -> None:
        if self.transport.is_closing() and self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None

    def on_response_complete(self) -> None:
        """Go on with the next request, or begin to idle."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        self._idle_since_s = self.loop.time()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self.timeout_keep_alive_task is None:
            self._look_again_in(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection if it has idled for long."""
        self.timeout_keep_alive_task = None
        busy = self.cycle is not None and not self.cycle.response_complete
        left_s = self._idle_since_s + self.timeout_keep_alive - self.loop.time()
        if busy or left_s > 0:
            self._look_again_in(self.timeout_keep_alive if busy else left_s)
        else:
            super().timeout_keep_alive_handler()

    def _look_again_in(self, delay_s: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(delay_s, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer, too, when the connection broke."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()


class HotCycle:
    """One request on the short way, in the shape that uvicorn knows of its own cycles: it reads and sets these."""

    __slots__ = ("_protocol", "body", "disconnected", "keep_alive", "more_body", "response_complete", "task")

    def __init__(
        self, protocol: ServerProtocol, hot: HotRoutes, route: Any, fields: Fields, body: bytes | None
    ) -> None:
        self._protocol = protocol
        self.body = body
        self.disconnected = False
        self.keep_alive = True
        self.more_body = False
        self.response_complete = False
        self.task: asyncio.Task[None] = protocol.loop.create_task(hot.serve(route, fields, self))
        protocol.tasks.add(self.task)

    @property
    def message_event(self) -> "HotCycle":
        """What uvicorn sets when there is news of the request."""
        return self

    def set(self) -> None:
        """Give the request up when the news is that its client left."""
        if self.disconnected:
            self.task.cancel()

    def answer(self, status: int, head: bytes, body: bytes) -> None:
        """Write a whole answer; its ``head`` are the lines of its headers, a content-length among them."""
        protocol = self._protocol
        if protocol.transport.is_closing():
            return
        last = b"\r\n" if self.keep_alive else CLOSE
        protocol.transport.write(b"%b%b%b%b%b" % (STATUS_LINE[status], protocol.own_lines(), head, last, body))
        self.response_complete = True

    def end(self) -> None:
        """Leave the connection to the next request, or close it: also when there was no answer to give."""
        protocol = self._protocol
        protocol.tasks.discard(self.task)
        if not (self.response_complete and self.keep_alive):
            self.response_complete = True
            protocol.transport.close()
        protocol.on_response_complete()
