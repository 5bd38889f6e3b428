"""What is compared with what: one function a group, all under the same rules (``measure.py``)."""

import statistics
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tests.bench.edge import edge_auth, edge_limits, edge_proxies, edge_stack
from tests.bench.growth import growth_body, growth_branches, growth_connections, growth_keys
from tests.bench.measure import Bench, Load, Row
from tests.bench.ratios import against, against_others
from tests.bench.variants import frontage, peers
from tests.bench.web import web_nested, web_orders, web_roots, web_text, web_trusted

C64, C8 = Load("c=64"), Load("c=8", connections=8)
# Node is asked at this share of its own peak: busy, but not in its queue.
PACE: Final = 0.7


def mobile(bench: Bench) -> list[Row]:
    """The mobile dashboard, three backends: throughput, then latency at one rate for all who can hold it."""
    variants = [frontage(bench.where), *peers(bench.where, bench.tools)]
    rows = against_others(bench.compare("mobile", variants, [C64, C8]))
    peak = max(row.rps for row in rows if row.variant == "node-fastify")
    rate = round(peak * PACE, -2)
    able = {row.variant for row in rows if row.load == C64.name and row.rps > rate}
    paced = Load(f"{rate:.0f}/s", rate=rate)
    paced_rows = bench.compare("mobile", [one for one in variants if one.name in able], [paced])
    return rows + against_others(paced_rows, figure="p99_ms")


def tracing(bench: Bench) -> list[Row]:
    """What it costs to export no trace, one in a hundred, every one; and the same with spans made by the SDK."""
    variants = [
        frontage(bench.where, "frontage", traced=False),
        frontage(bench.where, "frontage-1%"),
        frontage(bench.where, "frontage-100%", trace_ratio="1"),
        frontage(bench.where, "frontage-sdk-1%", tracing="sdk"),
        frontage(bench.where, "frontage-sdk-100%", tracing="sdk", trace_ratio="1"),
    ]
    return against(bench.compare("tracing", variants, [C64, C8]), "frontage")


def policies(bench: Bench) -> list[Row]:
    """What the gates cost while nothing fails, and each part that a setting swaps, against the stock one."""
    variants = [
        frontage(bench.where),
        frontage(bench.where, "frontage-no-gates", module="tests.bench.bare"),
        frontage(bench.where, "frontage-route=fastapi", route="fastapi"),
        frontage(bench.where, "frontage-transport=httpx", transport="httpx"),
    ]
    return against(bench.compare("policies", variants, [C64]), "frontage")


def failure(bench: Bench) -> list[Row]:
    """One backend of three is silent: which share of the answers is of use within a second, and how many there are.

    With 64 connections each client waits for its answer before it asks again; at a rate nobody waits for anybody.
    """
    (healthy,) = bench.compare("failure", [frontage(bench.where, "frontage-healthy")], [replace(C64, exact=True)])
    variants = [
        frontage(bench.where, silent=True),
        *peers(bench.where, bench.tools, "node-fastify", "naive", silent=True),
    ]
    rate = round(healthy.rps / 2, -2)
    closed, open_ = replace(C64, exact=True), Load(f"{rate:.0f}/s", connections=1024, rate=rate)
    rows = bench.compare("failure", variants, [closed], same=False)
    # At a rate, the peers would still be answering minutes later: each of their answers waits 900 ms.
    rows += bench.compare("failure", variants[:1], [open_], same=False)
    return against_others([healthy, *rows])


def start_up(bench: Bench) -> list[Row]:
    """From the start of the process to its first 200 on readiness, and what it weighs then."""
    rows = []
    for variant in [frontage(bench.where), *peers(bench.where, bench.tools, "node-fastify", "naive")]:
        begun, weights = [], []
        for _ in range(bench.rounds):
            with Bench(bench.where, bench.tools, seconds=bench.seconds, rounds=1) as once:
                running = once.start(variant)
                begun.append(running.ready_s * 1000)
                weights.append(running.process.rss_mb())
        ready_ms, spread = statistics.median(begun), (max(begun) - min(begun)) / statistics.median(begun)
        row = Row("start-up", "-", variant.name, 0, 0, 0, statistics.median(weights), 0, spread, lower_bound=False)
        row.ready_ms = ready_ms
        rows.append(row)
    return rows


GROUPS: Final[dict[str, Callable[[Bench], list[Row]]]] = {
    "mobile": mobile,
    "web-trusted": web_trusted,
    "web-text": web_text,
    "web-orders": web_orders,
    "web-nested": web_nested,
    "web-roots": web_roots,
    "tracing": tracing,
    "policies": policies,
    "failure": failure,
    "growth-branches": growth_branches,
    "growth-connections": growth_connections,
    "growth-keys": growth_keys,
    "growth-body": growth_body,
    "start-up": start_up,
    "edge-stack": edge_stack,
    "edge-limits": edge_limits,
    "edge-auth": edge_auth,
    "edge-proxies": edge_proxies,
}
