"""What an edge costs: beside a plain Envoy and other proxies, for one client alone, by auth mode, and its limiter."""

from contextlib import ExitStack
from typing import Final

from tests.bench.edges import DISTRIBUTED, LOCAL, direct, edge, gateway, l4, l7, plain_envoy
from tests.bench.limiters import EDGES, Limiter, check, control, ours, peer, question, sample, valkey
from tests.bench.machine import LOAD_CORE, BenchError
from tests.bench.measure import Bench, Load, Row, row_of
from tests.bench.processes import ask
from tests.bench.proxies import haproxy, proxies, with_policies

C64: Final = Load("c=64")
C1: Final = Load("c=1", connections=1)
FLEET_LIMIT: Final = 100
UNAUTHORIZED: Final = 401
# Who judges the token: the edge alone, the BFF once more, or the control service, which signs another one.
MODES: Final = ("edge", "verify", "internal")


def edge_stack(bench: Bench) -> list[Row]:
    """JWT, local limit, CORS, headers, log, 1 % of traces; then one client alone, for the time that each adds."""
    where = bench.where
    rows = bench.compare("edge-stack", [plain_envoy(where), l7(where), gateway(where)], [C64])
    for row in rows[1:]:
        row.ratios = {"envoy-plain": row.rps / rows[0].rps}
    with ExitStack() as stack:
        store = stack.enter_context(valkey())
        limiter = stack.enter_context(ours(store, LOAD_CORE))
        asking = gateway(where, "edge-distributed", limit=DISTRIBUTED, more=asked(limiter))
        alone = [direct(), l4(where), l7(where), gateway(where), asking]
        timed = bench.compare("edge-stack", alone, [C1])
    for row in timed[1:]:
        row.note = f"adds {row.p50_ms - timed[0].p50_ms:.3f} ms"
    return rows + timed


def asked(*limiters: Limiter) -> str:
    """Return the block of ``edge.yaml`` that names them."""
    names = ", ".join(f'"127.0.0.1:{one.port}"' for one in limiters)
    return f"limiter: {{endpoints: [{names}]}}\n"


def edge_limits(bench: Bench) -> list[Row]:
    """Checks a second of one limiter on one core with Valkey; then what a fleet admits beyond its limit."""
    message = question(bench.where)
    samples: dict[tuple[str, str], list] = {}
    with ExitStack() as stack:
        store = stack.enter_context(valkey())
        limiters = [stack.enter_context(ours(store)), stack.enter_context(peer(store))]
        for limiter in limiters:
            check(limiter, message)
            sample(limiter, message, 64, 1)
        for number in range(bench.rounds):
            for load, streams in (("c=64", 64), ("c=1", 1)):
                for limiter in limiters if number % 2 == 0 else reversed(limiters):
                    samples.setdefault((load, limiter.name), []).append(
                        sample(limiter, message, streams, bench.seconds)
                    )
        rows = [
            row_of("edge-limits", load, limiter.name, samples[load, limiter.name], limiter.process.rss_mb())
            for load in ("c=64", "c=1") for limiter in limiters
        ]  # fmt: skip
    for mine, theirs in (rows[:2], rows[2:]):
        mine.ratios = {theirs.variant: mine.rps / theirs.rps}
        mine.note = f"{theirs.cpu_us / mine.cpu_us:.1f} x as many for a second of CPU"
    return rows + fleet(bench)


def fleet(bench: Bench) -> list[Row]:
    """Three edges, two limiters, one store; one client goes from edge to edge, three times as often as it may."""
    rows = []
    with ExitStack() as stack:
        store = stack.enter_context(valkey())
        limiters = [stack.enter_context(ours(store, LOAD_CORE)) for _ in range(2)]
        for scope, limit in (("instance", LOCAL), ("distributed", DISTRIBUTED)):
            counted = limit.replace("1000000000", str(FLEET_LIMIT)).replace("1m", "1h")
            edges = [
                bench.start(edge(
                    bench.where, f"edge-{scope}-{number}", route=", limits: [counted]",
                    policies=f"  limits:\n    counted: {counted.replace('open', 'closed')}\n", more=asked(*limiters),
                ))
                for number in range(EDGES)
            ]  # fmt: skip
            statuses = [ask(one.port, one.variant.path)[0] for _ in range(2 * FLEET_LIMIT) for one in edges]
            admitted, rss = statuses.count(200), edges[0].process.rss_mb()
            note = f"admits {admitted} of {len(statuses)}, limit {FLEET_LIMIT}, {EDGES} edges"
            rows.append(Row("edge-limits", "fleet", f"scope-{scope}", 0, 0, 0, rss, 0, 0, lower_bound=False, note=note))
    return rows


def edge_auth(bench: Bench) -> list[Row]:
    """What a token costs, by who judges it."""
    counted = edge(bench.where, "edge-open", route=", limits: [counted]", policies=f"  limits:\n    counted: {LOCAL}\n")
    with valkey() as store, control(store) as port:
        more = f'control: {{endpoints: ["127.0.0.1:{port}"]}}\n'
        modes = [gateway(bench.where, f"edge-{mode}", mode=mode, more=more) for mode in MODES]
        rows = bench.compare("edge-auth", [counted, *modes], [C64])
    for row in rows[1:]:
        row.ratios = {"edge-open": row.rps / rows[0].rps}
        row.note = f"{row.cpu_us - rows[0].cpu_us:.0f} µs more"
    return rows


def edge_proxies(bench: Bench) -> list[Row]:
    """The same work by others: handing on; a limit, headers and a log; and a JWT on top, where somebody can."""
    where = bench.where
    counted = edge(where, "edge-policies", route=", limits: [counted]", policies=f"  limits:\n    counted: {LOCAL}\n")
    bare, busy = [plain_envoy(where), *proxies(where)], [counted, *with_policies(where)]
    judging = [gateway(where, "edge-jwt"), haproxy(where, "-jwt")]
    rows = bench.compare("edge-proxies", [*bare, *busy, *judging], [C64])
    for one in judging:
        if ask(one.port, one.path)[0] != UNAUTHORIZED:
            raise BenchError(f"{one.name} judges no token")
    by_name = {row.variant: row for row in rows}
    for group in (bare, busy, judging):
        mine, others = by_name[group[0].name], [by_name[one.name] for one in group[1:]]
        mine.ratios = {one.variant: mine.rps / one.rps for one in others}
    return rows
