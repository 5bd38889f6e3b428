"""One measurement, made so that it can be believed: interleaved, checked while under load, weighed.

Owns the samples and what makes one worthless: an answer that differs, a failed request, a degraded section, a load
generator that was itself the limit.
"""

import hashlib
import json
import re
import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

from tests.bench.backends import USER, Addresses
from tests.bench.machine import HERE, LOAD_CORE, USERS_FILE, BenchError, Tools, busy_s
from tests.bench.processes import Process, ask, free_port, result_of, run_load
from tests.bench.variants import Variant

WARM_UP_S: Final = 1.0
# Above this share of core 1, load and backends may be the limit: then the figure is a lower bound.
LOAD_LIMIT: Final = 0.8


@dataclass(frozen=True, slots=True)
class Load:
    """How it is asked. ``rate`` is requests a second; without one, each connection asks as fast as it is answered."""

    name: str
    connections: int = 64
    rate: float = 0
    exact: bool = False  # by our own generator, which counts answers that came within the budget
    keys: int = 0  # how many different ``x-key`` the requests carry in turn
    warm_up_s: float = WARM_UP_S

    @property
    def open_loop(self) -> bool:
        """Whether requests leave at their own moments, not when an answer came."""
        return self.rate > 0


@dataclass(slots=True)
class Row:
    """What the table and ``latest.json`` hold of one variant under one load."""

    group: str
    load: str
    variant: str
    rps: float
    p50_ms: float
    p99_ms: float
    rss_mb: float
    cpu_us: float
    spread: float
    lower_bound: bool
    ratios: dict[str, float] = field(default_factory=dict)
    useful: float | None = None
    ready_ms: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of the load generator."""

    rps: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    load_busy: float
    useful: float


class Running:
    """A started variant."""

    def __init__(self, variant: Variant, process: Process, port: int, ready_s: float, headers: dict[str, str]) -> None:
        self.variant, self.process, self.port, self.ready_s, self.headers = variant, process, port, ready_s, headers

    def body_hash(self) -> str:
        """Return what it answers now, as a hash that does not know when it was put together."""
        status, body = ask(self.port, self.variant.path, self.headers, self.variant.body)
        if status != 200:
            raise BenchError(f"{self.variant.name} answered {status}: {body[:300]!r}")
        answer = json.loads(body, object_hook=_without_moment)
        return hashlib.sha256(json.dumps(answer, sort_keys=True).encode()).hexdigest()

    def not_fresh(self) -> list[str]:
        """Say which sections it did not serve fresh, and why; only ours can tell.

        ``unused`` are those of requests that the load generator left behind when its time was over.
        """
        if not self.variant.ours:
            return []
        text = ask(self.port, "/metrics")[1].decode()
        counted = re.findall(r"frontage_sections_total(\{[^}]*\} [\d.e+]+)", text)
        return [labels for labels in counted if not re.search('outcome="(fresh|unused)"', labels)]


def _without_moment(members: dict[str, Any]) -> dict[str, Any]:
    members.pop("aggregatedAt", None)
    members.pop("extensions", None)  # ours tells what an operation costs
    return members


class Bench:
    """The variants of one group, running side by side."""

    def __init__(self, where: Addresses, tools: Tools, *, seconds: float, rounds: int) -> None:
        self.where, self.tools, self.seconds, self.rounds = where, tools, seconds, rounds
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def start(self, variant: Variant, core: int = 0) -> Running:
        """Start a variant and wait until it is ready."""
        port = variant.port or free_port()
        environment = {key: value.replace("{port}", str(port)) for key, value in variant.environment.items()}
        process = self._stack.enter_context(Process(variant.name, variant.command, environment, core))
        ready_s = process.wait_ready(port, variant.ready)
        return Running(variant, process, port, ready_s, {**self.headers(), **variant.headers})

    def headers(self) -> dict[str, str]:
        """What every request carries; each variant reads what it needs."""
        return {"authorization": f"Bearer {self.where.token}", "x-user": USER}

    def compare(self, group: str, variants: list[Variant], loads: list[Load], *, same: bool = True) -> list[Row]:
        """Measure every variant under every load, A B C / C B A. ``same``: their answers must be whole and equal."""
        running = [self.start(variant) for variant in variants]
        expected = {one.variant.name: one.body_hash() for one in running} if same else {}
        if len(set(expected.values())) > 1:
            raise BenchError(f"{group}: the variants answer differently: {expected}")
        for one in running:
            self.sample(one, loads[0], loads[0].warm_up_s, None)
        samples: dict[tuple[str, str], list[Sample]] = {}
        for number in range(self.rounds):
            for load in loads:
                for one in running if number % 2 == 0 else reversed(running):
                    sample = self.sample(one, load, self.seconds, expected.get(one.variant.name))
                    samples.setdefault((load.name, one.variant.name), []).append(sample)
        if same and (bad := {one.variant.name: said for one in running if (said := one.not_fresh())}):
            raise BenchError(f"{group}: sections were degraded under load: {bad}")
        rss = {one.variant.name: one.process.rss_mb() for one in running}
        return [
            row_of(group, load.name, one.variant.name, samples[load.name, one.variant.name], rss[one.variant.name])
            for load in loads
            for one in running
        ]

    def sample(self, one: Running, load: Load, seconds: float, expected: str | None) -> Sample:
        """Run the load once; compare a few answers while it runs."""
        cpu, busy, begin = one.process.cpu_s(), busy_s(LOAD_CORE), time.monotonic()
        started, until_s = run_load(self._command(one, load, seconds), one.variant.body, load.keys, seconds + 15)
        try:
            while expected is not None and time.monotonic() - begin < seconds - 0.2 and started.poll() is None:
                if one.body_hash() != expected:
                    raise BenchError(f"{one.variant.name} answers differently under load")
                time.sleep(0.25)
            said = result_of(started, until_s)
        finally:
            if started.poll() is None:
                started.kill()
                started.wait()
        took = time.monotonic() - begin
        cpu, busy = one.process.cpu_s() - cpu, busy_s(LOAD_CORE) - busy
        if expected is not None and said["failed"] > (0.01 * said["requests"] if load.open_loop else 0):
            raise BenchError(f"{one.variant.name} failed {said['failed']} of {said['requests']} requests ({load.name})")
        return sample_of(said, cpu, busy / took)

    def _command(self, one: Running, load: Load, seconds: float) -> list[str]:
        pinned = ["taskset", "-c", str(LOAD_CORE)]
        headers = [part for key, value in one.headers.items() for part in ("-H", f"{key}: {value}")]
        if load.exact or load.open_loop:
            headers = ["-users", str(USERS_FILE)]
            return [
                *pinned, str(self.tools.pace), "-address", f"127.0.0.1:{one.port}", "-target", one.variant.path,
                "-c", str(load.connections), "-rate", str(load.rate), "-d", f"{seconds}s", *headers,
            ]  # fmt: skip
        return [
            *pinned, "wrk", "-t1", f"-c{load.connections}", f"-d{max(1, round(seconds))}s", "--latency",
            "--timeout", "10s", "-s", str(HERE / "load.lua"), *headers,
            f"http://127.0.0.1:{one.port}{one.variant.path}",
        ]  # fmt: skip


def sample_of(said: dict[str, Any], cpu_s: float, load_busy: float) -> Sample:
    """Read what the load generator said."""
    requests = max(1, said["requests"])
    return Sample(
        rps=said["requests"] / said["seconds"], p50_ms=said["p50_ms"], p99_ms=said["p99_ms"],
        cpu_us=cpu_s / requests * 1e6, load_busy=load_busy, useful=1 - said["failed"] / requests,
    )  # fmt: skip


def row_of(group: str, load: str, variant: str, samples: list[Sample], rss_mb: float) -> Row:
    """Put the samples together: medians; how far apart they lie is said, too."""

    def middle(name: str) -> float:
        return statistics.median(getattr(one, name) for one in samples)

    rates = [one.rps for one in samples]
    return Row(
        group=group, load=load, variant=variant, rps=middle("rps"), p50_ms=middle("p50_ms"), p99_ms=middle("p99_ms"),
        rss_mb=rss_mb, cpu_us=middle("cpu_us"), spread=(max(rates) - min(rates)) / middle("rps"),
        lower_bound=middle("load_busy") >= LOAD_LIMIT, useful=middle("useful"),
    )  # fmt: skip
