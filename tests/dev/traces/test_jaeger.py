import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from dev.traces.app import create_query_app
from dev.traces.counters import Counters
from dev.traces.otlp import decode_json, spans_of
from dev.traces.search import BadQuery, duration_us, read_query
from dev.traces.store import Store
from tests.dev.traces.samples import AT_NS, TRACE_ID, as_json, dashboard, export, healthy, span

GOLDEN = Path(__file__).parent / "golden" / "dashboard.jaeger.json"


def put(store: Store, document: dict) -> None:
    store.add(spans_of(decode_json(as_json(document)))[0])


@pytest.fixture
async def query(store: Store, counters: Counters) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_query_app(store, counters, "1.2.3"))
    async with httpx.AsyncClient(transport=transport, base_url="http://traces") as http:
        yield http


async def test_a_trace_has_jaegers_shape(query: httpx.AsyncClient, store: Store) -> None:
    """The golden answer of ``/api/traces/{id}``: what a reader of Jaeger expects, key by key."""
    put(store, dashboard())

    assert (await query.get(f"/api/traces/{TRACE_ID}")).json() == json.loads(GOLDEN.read_text())


async def test_services_and_operations_are_listed(query: httpx.AsyncClient, store: Store) -> None:
    """What fills Jaeger's search form."""
    put(store, dashboard())

    assert (await query.get("/api/services")).json()["data"] == ["edge", "mobile", "users"]
    assert (await query.get("/api/services/edge/operations")).json() == {
        "data": ["GET /mobile/{**rest}", "router mobile egress"], "total": 2, "limit": 0, "offset": 0, "errors": None,
    }  # fmt: skip
    assert (await query.get("/api/services/nobody/operations")).json()["data"] == []


async def test_traces_are_found_by_one_span_that_fits_all(query: httpx.AsyncClient, store: Store) -> None:
    """Service, operation and duration must be true of the same span; newest trace first."""
    now_us = time.time_ns() // 1_000
    put(store, dashboard())
    put(store, healthy("aa" * 16, AT_NS + 10**9))
    put(store, healthy("bb" * 16, now_us * 1_000))

    async def found(**parameters: str | int) -> list[str]:
        answer = await query.get("/api/traces", params=parameters)
        assert answer.status_code == 200, answer.text
        return [trace["traceID"][:2] for trace in answer.json()["data"]]

    at_us = AT_NS // 1_000
    assert await found(service="mobile") == ["bb", "aa", "4b"]
    assert await found(service="mobile", limit=2) == ["bb", "aa"]
    assert await found(service="mobile", operation="GET /mobile/v1/dashboard", minDuration="500ms") == ["4b"]
    assert await found(service="users", minDuration="500ms") == []
    assert await found(service="mobile", maxDuration="1ms", operation="GET users") == []
    assert await found(service="mobile", start=at_us + 500_000, end=at_us + 2_000_000) == ["aa"]
    assert await found(service="mobile", lookback="1h") == ["bb"]
    assert await found(service="mobile", lookback="custom", end=now_us - 10**9) == ["aa", "4b"]
    assert await found(service="nobody") == []


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "99999"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"start": "-1"}, "start"),
        ({"start": "2", "end": "1"}, "end"),
        ({"minDuration": "fast"}, "minDuration"),
        ({"lookback": "1 fortnight"}, "lookback"),
    ],
)
async def test_a_bad_parameter_is_named(query: httpx.AsyncClient, parameters: dict[str, str], named: str) -> None:
    """400 in Jaeger's shape, saying which."""
    answer = await query.get("/api/traces", params=parameters)

    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["code"] == 400
    assert f"'{named}'" in error["msg"]
    assert answer.json()["data"] is None


def test_durations_are_read_as_jaeger_writes_them() -> None:
    """Go's duration syntax, and days."""
    read = {text: duration_us("x", text) for text in ("100ms", "1.5s", "250us", "250µs", "1h30m", "2d", "")}
    assert read == {
        "100ms": 100_000, "1.5s": 1_500_000, "250us": 250, "250µs": 250, "1h30m": 5_400_000_000, "2d": 172_800_000_000,
        "": 0,
    }  # fmt: skip
    with pytest.raises(BadQuery):
        read_query({"maxDuration": "1s!"})


async def test_unknown_and_malformed_ids_are_told_apart(query: httpx.AsyncClient, store: Store) -> None:
    """404 for a trace that is not here, 400 for what is no id; an id without its leading zeros is found."""
    put(store, healthy(f"{0xABC:032x}", AT_NS))

    assert (await query.get("/api/traces/ABC")).status_code == 200
    missing = await query.get("/api/traces/abd")
    assert (missing.status_code, missing.json()["errors"]) == (404, [{"code": 404, "msg": "trace not found"}])
    assert (await query.get("/api/traces/xyz")).status_code == 400
    assert (await query.get(f"/api/traces/{'a' * 33}")).status_code == 400
    assert (await query.get("/api/nothing")).json()["errors"][0]["code"] == 404
    assert (await query.post("/api/traces")).json()["errors"][0]["code"] == 405


async def test_dropped_spans_are_a_warning_of_the_trace(query: httpx.AsyncClient) -> None:
    """A reader can see that the picture is not whole."""
    small = Store(":memory:", max_spans=2)
    put(small, dashboard())
    transport = httpx.ASGITransport(create_query_app(small, Counters(), "1"))
    async with httpx.AsyncClient(transport=transport, base_url="http://traces") as http:
        trace = (await http.get(f"/api/traces/{TRACE_ID}")).json()["data"][0]

    assert trace["warnings"] == ["10 more spans did not fit and were dropped"]
    small.close()


async def test_the_list_says_what_matters_of_each_trace(query: httpx.AsyncClient, store: Store) -> None:
    """Service, operation, duration, status, degraded sections, failed spans; and it follows a trace that grows."""
    put(store, dashboard())
    put(store, healthy("aa" * 16, AT_NS + 10**9))
    first = (await query.get("/view/traces")).json()
    put(store, export(edge=[span(99, 0, "ingress", -1, 30, "server", trace_id="aa" * 16, at_ns=AT_NS + 10**9)]))
    then = (await query.get("/view/traces")).json()

    assert first["traces"][1] == {
        "trace_id": TRACE_ID, "service": "edge", "name": "GET /mobile/v1/dashboard", "start_us": AT_NS // 1_000,
        "total_us": 907_000, "total": "907.0", "status": 200, "degraded": ["recentOrders"], "errors": 3, "spans": 12,
    }  # fmt: skip
    assert [one["traces"][0]["spans"] for one in (first, then)] == [7, 8]
    assert first["services"] == ["edge", "mobile", "users"]


async def test_the_operators_routes_answer(query: httpx.AsyncClient, store: Store, counters: Counters) -> None:
    """Health, version and a few counters, as on every service of ours."""
    put(store, dashboard())
    counters.received = 12

    assert (await query.get("/health/live")).json() == {"status": "live"}
    assert (await query.get("/health/ready")).json() == {"status": "ready", "failing": []}
    assert (await query.get("/version")).json() == {"service": "traces", "version": "1.2.3"}
    metrics = (await query.get("/metrics")).text
    assert "\nfrontage_traces_spans_received_total 12\n" in metrics
    assert "\nfrontage_traces_stored_traces 1\n" in metrics


@pytest.mark.parametrize("path", ["/", "/search?service=x", "/trace/abc", "/page/main.js", "/view/traces", "/nowhere"])
async def test_every_answer_forbids_foreign_code(query: httpx.AsyncClient, path: str) -> None:
    """No inline script, no foreign origin, no framing, whatever the path."""
    policy = (await query.get(path)).headers["content-security-policy"]

    assert "default-src 'none'; script-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    "path", ["/page/../query.py", "/page/%2e%2e/query.py", "/page//etc/passwd", "/page/..%2fquery.py"]
)
async def test_the_page_serves_its_own_folder_only(query: httpx.AsyncClient, path: str) -> None:
    """No way out of it."""
    assert (await query.get(path)).status_code == 404
