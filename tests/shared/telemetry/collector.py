"""A collector on a real socket that can be away, deaf, slow or well; and who connected to it, by thread."""

import contextlib
import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

State = Literal["well", "refused", "unreachable", "silent", "slow"]
LATENCY_S = 5.0


class Collector:
    """``refused``: nobody listens. ``unreachable``: no SYN is answered. ``silent``: taken in, and never a word."""

    def __init__(self, state: State) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self.traces: list[str] = []
        self.asked = threading.Event()
        self.state: State = "refused"
        self._server: ThreadingHTTPServer | None = None
        self._crowd: list[socket.socket] = []
        self._over = threading.Event()
        self.become(state)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def become(self, state: State) -> None:
        """End what there is, as a process ends: its sockets close; then be like that."""
        self.close()
        self.state, self._over = state, threading.Event()
        if state == "unreachable":
            self._crowd = crowded(self.port)
        elif state != "refused":
            self._server = Server(("127.0.0.1", self.port), self)
            threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._over.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.end_connections()
            self._server.server_close()
            self._server = None
        for one in self._crowd:
            one.close()
        self._crowd = []

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one export, or not."""
        body = handler.rfile.read(int(handler.headers["content-length"]))
        self.asked.set()
        if self.state == "silent":
            self._over.wait()
            return
        if self.state == "slow" and self._over.wait(LATENCY_S):
            return
        spans = [
            span
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        self.traces += {span.trace_id.hex() for span in spans}
        handler.send_response(200)
        handler.send_header("content-length", "0")
        handler.end_headers()


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], collector: Collector) -> None:
        self.open: set[socket.socket] = set()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                collector.take(self)

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(address, Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def handle_error(self, *_: Any) -> None:
        """Whoever left before its answer is no news here."""

    def end_connections(self) -> None:
        for one in self.open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


def crowded(port: int) -> list[socket.socket]:
    """Fill a listener's queue that nobody empties: the kernel then drops every further SYN."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(0)
    crowd = [listener]
    for _ in range(2):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", port))
        crowd.append(one)
    with socket.socket() as probe:
        probe.settimeout(0.2)
        try:
            probe.connect(("127.0.0.1", port))
        except TimeoutError:
            return crowd
    raise AssertionError("this kernel still answers")


class _Audit:
    """Python's audit of every ``connect``; a hook cannot be taken out again, so there is one, and it is mostly off."""

    def __init__(self) -> None:
        self.port = 0
        self.seen: set[str] = set()
        self.installed = False

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if self.port and event == "socket.connect" and args[1][1:2] == (self.port,):
            self.seen.add(threading.current_thread().name)


_AUDIT = _Audit()


@contextlib.contextmanager
def threads_that_connect_to(port: int) -> Iterator[set[str]]:
    """Yield the names of the threads that connect to ``port`` meanwhile."""
    if not _AUDIT.installed:
        sys.addaudithook(_AUDIT)
        _AUDIT.installed = True
    _AUDIT.port, _AUDIT.seen = port, set()
    try:
        yield _AUDIT.seen
    finally:
        _AUDIT.port = 0
