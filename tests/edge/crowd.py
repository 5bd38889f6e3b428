"""A crowd: thousands of keep-alive clients over TLS, in one loop, and what each costs the edge.

ulimit -n 20000; python -m tests.edge.crowd 5000       # starts an edge of its own and prints the figures
"""

import asyncio
import resource
import ssl
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import trustme

from tests.edge.edges import RunningEdge

TEXT = Path(__file__).with_name("crowd.yaml").read_text()
REQUEST = b"GET /screen HTTP/1.1\r\nhost: localhost\r\nuser-agent: crowd\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 512\r\n\r\n" + b" " * 512
HANDSHAKES = 50  # at once; more only wait for each other
FILES = 1_000  # beside the connections
PATIENCE_S = 60.0


@dataclass
class Backend:
    """Answers everybody alike, after a moment, and counts its connections."""

    accepted: int = 0
    open: int = 0
    most: int = 0
    port: int = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", 0, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await asyncio.sleep(0.002)  # while it works, others wait
                writer.write(ANSWER)
        except (OSError, EOFError, asyncio.CancelledError):
            writer.close()
        finally:
            self.open -= 1


@dataclass
class Crowd:
    """The clients' connections, what they were answered, and what went wrong."""

    port: int
    context: ssl.SSLContext
    lines: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    async def come(self, number: int) -> None:
        """Let so many more connect."""
        gate = asyncio.Semaphore(HANDSHAKES)

        async def one() -> None:
            async with gate:
                try:
                    opening = asyncio.open_connection(
                        "127.0.0.1", self.port, ssl=self.context, server_hostname="localhost"
                    )
                    self.lines.append(await asyncio.wait_for(opening, PATIENCE_S))
                except (OSError, TimeoutError) as error:
                    self.wrong.append(f"connecting: {error!r}")

        await asyncio.gather(*(one() for _ in range(number)))

    async def ask(self) -> None:
        """Let all of them ask at once, each on its own connection."""

        async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                writer.write(REQUEST)
                async with asyncio.timeout(PATIENCE_S):
                    head = await reader.readuntil(b"\r\n\r\n")
                    await reader.readexactly(512)
                self.answers[int(head.split(b" ", 2)[1])] += 1
            except (OSError, EOFError, TimeoutError) as error:
                self.wrong.append(f"asking: {error!r}")

        await asyncio.gather(*(one(*line) for line in self.lines))

    async def leave(self) -> None:
        for _, writer in self.lines:
            writer.transport.abort()
        await asyncio.sleep(0)
        self.lines.clear()


@dataclass(frozen=True)
class Weight:
    """What Envoy's memory is, in bytes: what it uses, and what it has of the system."""

    used: int
    resident: int

    @classmethod
    def of(cls, edge: RunningEdge) -> "Weight":
        used = edge.admin("/memory").json()["allocated"]  # the statistic of it is seconds old
        status = Path(f"/proc/{edge.envoy_pid()}/status").read_text()
        resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        return cls(int(used), resident * 1024)

    def per(self, before: "Weight", number: int) -> "Weight":
        return Weight((self.used - before.used) // number, (self.resident - before.resident) // number)


def trusting(ca: Path) -> ssl.SSLContext:
    """Return a context whose clients speak HTTP/1.1: a connection each, whatever they would rather do."""
    context = ssl.create_default_context(cafile=str(ca))
    context.set_alpn_protocols(["http/1.1"])
    return context


def allow_files(number: int) -> None:
    """Raise our own limit of open files, and that of whom we start; the hard one must allow it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = number + FILES
    assert hard >= wanted, f"ulimit -Hn is {hard}: {number} connections need {wanted}"
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


async def weigh(edge: RunningEdge, number: int) -> tuple[Crowd, Weight, float]:
    """Let a crowd connect and ask once; return it, what each idle connection weighs, and the handshakes a second."""
    crowd = Crowd(edge.port, trusting(edge.ca))
    await crowd.come(50)
    await crowd.ask()
    before = Weight.of(edge)
    began = time.monotonic()
    await crowd.come(number - 50)
    took_s = time.monotonic() - began
    await crowd.ask()
    return crowd, Weight.of(edge).per(before, number - 50), (number - 50) / took_s


async def main(number: int) -> None:
    allow_files(2 * number)
    with tempfile.TemporaryDirectory() as name:
        folder, authority = Path(name), trustme.CA()
        certificate = authority.issue_cert("localhost")
        authority.cert_pem.write_to_path(folder / "ca.pem")
        certificate.private_key_pem.write_to_path(folder / "edge.key")
        (folder / "edge.pem").write_bytes(b"".join(part.bytes() for part in certificate.cert_chain_pems))
        async with Backend() as backend:
            variables = {
                "ECHO": f"127.0.0.1:{backend.port}", "EDGE_CERTIFICATE": str(folder / "edge.pem"),
                "EDGE_KEY": str(folder / "edge.key"),
            }  # fmt: skip
            edge = RunningEdge(folder, TEXT, variables, folder / "ca.pem")
            await asyncio.to_thread(edge.start)
            try:
                crowd, weight, pace = await weigh(edge, number)
                used, resident = weight.used / 1024, weight.resident / 1024
                sys.stdout.write(
                    f"{number} clients, {backend.most} connections to the backend, {crowd.answers}, {crowd.wrong[:3]}\n"
                    f"an idle TLS connection: {used:.1f} KiB used, {resident:.1f} KiB resident\n"
                    f"handshakes: {pace:.0f} a second (clients and edge on the same cores)\n"
                )
                await crowd.leave()
            finally:
                await asyncio.to_thread(edge.stop)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
