"""Field case T1: one trace of everything a request did, and the backends see its ids."""

import asyncio
import logging

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from tests.shared.asgi.small_bff import ONE, SmallBff, by_name
from tests.shared.backends.raw import answers, fields_of, http, never_answers, until

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
JOINED = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
BUSY = http(b"{}", status="503 Busy")


def parent_of(span: ReadableSpan) -> int:
    assert span.parent
    return span.parent.span_id


WAYS = pytest.mark.parametrize("tracing", ["ledger", "sdk"])


@WAYS
@pytest.mark.parametrize("route", ["lean", "fastapi"])
async def test_case_t1_every_attempt_stands_under_its_section_under_the_request(
    route: str, tracing: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Three legs: one retried twice, one cut off by the deadline, one well. One trace, all marked, ids as sent."""
    with caplog.at_level(logging.DEBUG):
        async with SmallBff(attempts=3, attempt_s=30, traced=True, route=route, tracing=tracing) as bff:
            bff.backends["main"].script = answers(BUSY, BUSY, ONE)
            bff.backends["slow"].script = never_answers
            answer = await bff.client.get(
                "/small/screen", headers={**bff.bearer, **JOINED, "x-deadline-ms": "400", "x-request-id": "r-1"}
            )
    spans = bff.spans()

    assert [gap["section"] for gap in answer.json()["degraded"]] == ["slowItem"]
    assert answer.headers["x-trace-id"] == TRACE
    assert {span.context.trace_id for span in spans} == {int(TRACE, 16)}
    server = by_name(spans, "GET /small/screen")
    assert server.kind is SpanKind.SERVER
    assert parent_of(server) == int(SPAN, 16)
    for name, count in (("main", 3), ("other", 1), ("slow", 1)):
        section = by_name(spans, f"section {name}Item")
        attempts = sorted((one for one in spans if one.name == f"GET {name}"), key=lambda one: one.start_time or 0)
        assert parent_of(section) == server.context.span_id
        assert [parent_of(one) for one in attempts] == [section.context.span_id] * count
        assert {one.kind for one in attempts} == {SpanKind.CLIENT}
        assert [(one.attributes or {})["frontage.attempt"] for one in attempts] == list(range(1, count + 1))
        sent = [fields_of(request) for request in bff.backends[name].requests]
        expected = [f"00-{TRACE}-{one.context.span_id:016x}-01" for one in attempts]
        assert [one["traceparent"] for one in sent] == expected, "the backend receives the id of the attempt's span"
        assert {one["x-request-id"] for one in sent} == {"r-1"}
    cut_off = by_name(spans, "GET slow")
    assert (cut_off.attributes or {})["error.type"] == "deadline"
    assert cut_off.status.status_code is StatusCode.ERROR
    assert all(span.end_time and span.end_time >= (span.start_time or 0) for span in spans)
    assert (server.attributes or {})["frontage.degraded"] == "slowItem:deadline:none"
    assert not [line for line in caplog.records if "detach" in line.getMessage()]


@WAYS
async def test_case_t1_a_request_left_early_has_ended_and_marked_spans(tracing: str) -> None:
    """The client went: every attempt is cancelled, and the trace says so."""
    async with SmallBff(attempt_s=30, traced=True, tracing=tracing) as bff:
        for backend in bff.backends.values():
            backend.script = never_answers
        asking = asyncio.ensure_future(bff.client.get("/small/screen", headers={**bff.bearer, **JOINED}))
        await until(lambda: all(backend.open == 1 for backend in bff.backends.values()), "all legs are under way")
        asking.cancel()
        await asyncio.wait([asking])
        await until(lambda: 'status="499"' in bff.scraped, "the request has ended")
    spans = bff.spans()

    attempts = [one for one in spans if one.kind is SpanKind.CLIENT]
    assert len(attempts) == 3
    for one in attempts:
        assert (one.attributes or {})["frontage.cancelled"] is True
        assert one.end_time
    server = by_name(spans, "GET /small/screen")
    assert (server.attributes or {})["http.response.status_code"] == 499
    assert server.status.status_code is StatusCode.UNSET


@WAYS
@pytest.mark.parametrize("route", ["lean", "fastapi"])
@pytest.mark.parametrize(
    ("path", "backend", "name", "status"),
    [
        ("/small/needed", http(b"{}", status="404 Not Found"), "GET /small/needed", 404),
        ("/small/needed", http(b"", "location: /elsewhere", status="302 Found"), "GET /small/needed", 502),
        ("/small/needed", http(b"{}", status="500 Oops"), "GET /small/needed", 502),
        ("/small/nowhere", ONE, "GET", 404),
    ],
    ids=["404 of the backend", "redirect of the backend", "500 of the backend", "no such route"],
)
async def test_case_t1_a_span_is_named_by_the_route_whatever_the_status(
    route: str, tracing: str, path: str, backend: bytes, name: str, status: int
) -> None:
    """By template, so that a name never holds an id; a path that matched nothing is not part of a name."""
    async with SmallBff(traced=True, route=route, tracing=tracing) as bff:
        bff.backends["main"].script = answers(backend)
        answer = await bff.client.get(path, headers={**bff.bearer, **JOINED})
    server = by_name(bff.spans(), name)

    assert answer.status_code == status
    assert (server.attributes or {})["http.response.status_code"] == status


@WAYS
async def test_case_t1_without_a_token_there_is_a_span_all_the_same(tracing: str) -> None:
    """401 is an answer, too."""
    async with SmallBff(traced=True, tracing=tracing) as bff:
        answer = await bff.client.get("/small/screen", headers=JOINED)
    (server,) = bff.spans()

    assert answer.status_code == 401
    assert (server.name, parent_of(server)) == ("GET /small/screen", int(SPAN, 16))


# Field case T2


@WAYS
@pytest.mark.parametrize("ratio", [0.0, 1.0])
@pytest.mark.parametrize(("flag", "exported"), [("00", False), ("01", True), (None, None)])
async def test_case_t2_the_sampled_flag_is_honoured(
    flag: str | None, exported: bool | None, ratio: float, tracing: str
) -> None:
    """00: nothing exported, 00 travels on, same id. 01: exported, same id. None: the ratio decides, once for all."""
    expected = bool(ratio) if exported is None else exported
    async with SmallBff(traced=True, trace_ratio=ratio, tracing=tracing) as bff:
        headers = {} if flag is None else {"traceparent": f"00-{TRACE}-{SPAN}-{flag}"}
        answer = await bff.client.get("/small/screen", headers={**bff.bearer, **headers})
        for path in ("/health/live", "/health/ready", "/metrics", "/version"):
            await bff.client.get(path, headers=JOINED)
    spans = bff.spans()

    trace_id = answer.headers["x-trace-id"]
    assert (trace_id == TRACE) is (flag is not None)
    assert len(spans) == (7 if expected else 0), "health is never exported, not even with a sampled parent"
    assert {f"{span.context.trace_id:032x}" for span in spans} <= {trace_id}
    for backend in bff.backends.values():
        (sent,) = [fields_of(request)["traceparent"] for request in backend.requests]
        assert sent.startswith(f"00-{trace_id}-")
        assert sent.endswith("-01" if expected else "-00")
