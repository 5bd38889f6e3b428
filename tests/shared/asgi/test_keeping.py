"""Tail keeping: a trace that was not sampled is told when it ended badly, unless its caller said no (field case T2)."""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Response
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind
from pydantic import ValidationError

from shared.asgi.defaults import keep_policy
from shared.asgi.slow import slow_after
from shared.settings import ServiceSettings
from tests.shared.asgi.small_bff import SmallBff
from tests.shared.backends.raw import answers, fields_of, http

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
NOT_SAMPLED = {"traceparent": f"00-{TRACE}-{SPAN}-00"}
BY_THE_EDGE = {**NOT_SAMPLED, "x-frontage-sampling": "edge"}
BROKEN = answers(http(b"{}", status="500 Oops"))


async def spans_after(
    path: str, headers: dict[str, str], *, broken: str = "", ratio: float = 0.0, **settings: Any
) -> tuple[list[ReadableSpan], SmallBff]:
    """Ask once; return what was told, and the BFF to look into. The SDK keeps nothing."""
    async with SmallBff(traced=True, attempts=1, trace_ratio=ratio, **{"tracing": "ledger", **settings}) as bff:
        if broken:
            bff.backends[broken].script = BROKEN
        await bff.client.get(path, headers={**bff.bearer, **headers})
    return bff.spans(), bff


def server_of(spans: Iterable[ReadableSpan]) -> dict[str, Any]:
    (server,) = [span for span in spans if span.kind is SpanKind.SERVER]
    return dict(server.attributes or {})


@pytest.mark.parametrize("headers", [{}, BY_THE_EDGE], ids=["our own decision", "the edge's"])
@pytest.mark.parametrize(
    ("path", "why"), [("/small/screen", "degraded"), ("/small/needed", "failed"), ("/small/boom", "failed")]
)
async def test_a_trace_that_ended_badly_is_kept_and_says_why(path: str, why: str, headers: dict[str, str]) -> None:
    """All of it, under the id that the client was told; what was sent to backends still says 00."""
    spans, bff = await spans_after(path, headers, broken="main")

    server = server_of(spans)
    assert server["frontage.kept"] == why
    assert {f"{span.context.trace_id:032x}" for span in spans} == {TRACE} or not headers
    assert not any(span.context.trace_flags.sampled for span in spans)
    (attempt,) = [span for span in spans if span.name == "GET main"]
    sent = [fields_of(request)["traceparent"] for request in bff.backends["main"].requests]
    assert sent == [f"00-{attempt.context.trace_id:032x}-{attempt.context.span_id:016x}-00"]
    assert f'frontage_traces_kept_total{{why="{why}"}} 1.0' in bff.scraped


@pytest.mark.parametrize("tracing", ["ledger", "sdk"])
@pytest.mark.parametrize(
    "headers",
    [NOT_SAMPLED, {**NOT_SAMPLED, "x-frontage-sampling": "client"}],
    ids=["00", "00 with a mark that is none"],
)
async def test_case_t2_a_caller_that_said_no_is_not_overruled(headers: dict[str, str], tracing: str) -> None:
    """However badly it ended: nothing exported, the same id, 00 goes on."""
    spans, bff = await spans_after("/small/screen", headers, broken="main", tracing=tracing)

    assert spans == []
    for backend in bff.backends.values():
        (sent,) = [fields_of(request)["traceparent"] for request in backend.requests]
        assert re.fullmatch(f"00-{TRACE}-[0-9a-f]{{16}}-00", sent)


async def test_what_ended_well_is_not_kept() -> None:
    """Nothing is told, and nothing was counted as lost."""
    spans, bff = await spans_after("/small/screen", BY_THE_EDGE)

    assert spans == []
    assert "frontage_traces_kept_total{" not in bff.scraped
    assert "frontage_traces_dropped_total{" not in bff.scraped


async def test_a_sampled_trace_is_told_once_and_was_not_kept() -> None:
    """``frontage.kept`` marks what a ratio would not have shown: counting by ratio stays possible."""
    spans, _ = await spans_after("/small/screen", {}, broken="main", ratio=1.0)

    assert "frontage.kept" not in server_of(spans)
    assert len({span.context.span_id for span in spans}) == len(spans) == 7


@pytest.mark.parametrize(
    ("keep", "path", "kept"),
    [
        ("off", "/small/needed", False),
        ("failed", "/small/needed", True),
        ("failed", "/small/screen", False),
        ("degraded, slow", "/small/screen", True),
        ("degraded, slow", "/small/needed", False),
    ],
)
async def test_an_operator_says_what_is_kept(keep: str, path: str, kept: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """``FRONTAGE_TRACE_KEEP`` is a list of words, or ``off``."""
    monkeypatch.setenv("FRONTAGE_TRACE_KEEP", keep)
    spans, _ = await spans_after(path, {}, broken="main")

    assert bool(spans) is kept


def test_a_word_that_is_none_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the setting, the value and what would be right."""
    monkeypatch.setenv("FRONTAGE_TRACE_KEEP", "failed,slowly")
    with pytest.raises(ValidationError) as found:
        ServiceSettings(listen="127.0.0.1:1")

    said = str(found.value)
    assert "trace_keep" in said
    assert "'slowly'" in said
    assert "'failed', 'degraded' or 'slow'" in said


async def test_slow_is_what_the_setting_says() -> None:
    """A whole answer that took longer is kept for its time."""
    spans, _ = await spans_after("/small/screen", {}, trace_slow_after=timedelta(microseconds=1))

    assert server_of(spans)["frontage.kept"] == "slow"


def test_a_route_may_say_for_itself_what_slow_is() -> None:
    """Beside its handler; the others have the setting's."""
    router = APIRouter(prefix="/x")

    @router.get("/quick")
    @slow_after(timedelta(milliseconds=50))
    async def quick() -> Response:
        return Response()

    @router.get("/other")
    async def other() -> Response:
        return Response()

    app = FastAPI()
    app.include_router(router)
    policy = keep_policy(ServiceSettings(listen="127.0.0.1:1", trace_slow_after=timedelta(seconds=3)), app)

    assert policy.routes == {"/x/quick": timedelta(milliseconds=50)}
    assert policy.slow_after == timedelta(seconds=3)


async def test_in_an_outage_the_first_of_each_second_are_kept_and_the_others_counted() -> None:
    """They are all alike; an export of every one would cost more than the outage."""
    settings = {"tracing": "ledger", "trace_ratio": 0.0, "trace_keep_per_second": 0}
    async with SmallBff(traced=True, attempts=1, **settings) as bff:
        bff.backends["main"].script = BROKEN
        for _ in range(3):
            await bff.client.get("/small/screen", headers=bff.bearer)

    assert bff.spans() == []
    assert 'frontage_traces_dropped_total{why="over_ceiling"} 3.0' in bff.scraped
