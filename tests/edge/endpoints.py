"""Small real servers to balance: each says its name, and what it saw of the connection."""

import socket
import socketserver
import ssl
import threading
from contextlib import suppress
from typing import Self

CHUNK = 4096


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        with suppress(OSError):  # the other side is gone
            self.server.talk(self.request)


class NamedTcp(socketserver.ThreadingTCPServer):
    """Says its name on each connection, then echoes."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, name: str, context: ssl.SSLContext | None = None, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Connection)
        self.name, self.port, self._context = name, self.server_address[1], context
        self.open: set[socket.socket] = set()
        self.preambles: list[bytes] = []
        self.reads_preamble = False

    def talk(self, connection: socket.socket) -> None:
        if self._context is not None:
            connection = self._context.wrap_socket(connection, server_side=True)
        self.open.add(connection)
        try:
            if self.reads_preamble:
                self.preambles.append(connection.recv(CHUNK))
            connection.sendall(self.name.encode() + b"\n")
            while data := connection.recv(CHUNK):
                connection.sendall(data)
        finally:
            self.open.discard(connection)
            connection.close()

    def handle_error(self, request, client_address) -> None:
        """A handshake that somebody broke off is no fault of the test."""

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def die(self) -> None:
        """Stop listening and drop every connection, as a killed process does."""
        self.shutdown()
        self.server_close()
        for one in list(self.open):
            one.shutdown(socket.SHUT_RDWR)


class _Datagram(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        data, reply_from = self.request
        reply_from.sendto(self.server.name.encode() + b":" + data, self.client_address)


class NamedUdp(socketserver.ThreadingUDPServer):
    """Answers each datagram with its name and the datagram."""

    daemon_threads = True

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", 0), _Datagram)
        self.name, self.port = name, self.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class Client:
    """One TCP connection through the edge."""

    def __init__(self, port: int, source: str = "127.0.0.1", preamble: bytes = b"") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10, source_address=(source, 0))
        if preamble:
            self.socket.sendall(preamble)

    def name(self) -> str:
        """Return who took the connection; nothing when it was closed."""
        data = b""
        try:
            while not data.endswith(b"\n") and (more := self.socket.recv(1)):
                data += more
        except ConnectionError:
            return ""
        return data.decode().strip()

    def echo(self, data: bytes) -> bytes:
        """Send and read back; nothing when it was closed."""
        try:
            self.socket.sendall(data)
            return self.socket.recv(CHUNK)
        except ConnectionError:
            return b""

    def closed(self, within_s: float = 10.0) -> bool:
        """Whether the other side closes within that time."""
        self.socket.settimeout(within_s)
        try:
            return self.socket.recv(CHUNK) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def taken_by(port: int, **options) -> str:
    """Open a connection, and say who took it."""
    with Client(port, **options) as client:
        return client.name()
