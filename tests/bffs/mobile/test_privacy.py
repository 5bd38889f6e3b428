"""No personal data and no credential in spans, log lines or metrics, however the request ends."""

import logging
from collections.abc import Iterator

import httpx
import pytest
import structlog
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.asgi.observe import ObserveMiddleware
from shared.telemetry.logs import configure_logs
from shared.telemetry.tracing import Way, open_tracing
from tests.bffs.mobile.phone import DASHBOARD, PROFILE, Phone, live_phone
from tests.shared.backends.raw import Script, answers, http

SUBJECT, NAME, EMAIL = "subject-4711", "Recognisable-Name", "recognisable@example.test"
PROFILE_BODY = f'{{"userId":"{SUBJECT}","displayName":"{NAME}","accountTier":"Gold","email":"{EMAIL}"}}'.encode()
# The wrong shape, so that a validator's error has the payload to quote.
MISFIT = f'{{"userId":"{SUBJECT}","displayName":["{NAME}"],"email":"{EMAIL}"}}'.encode()

BACKENDS: dict[str, dict[str, Script]] = {
    "whole": {"users": answers(http(PROFILE_BODY))},
    "a payload that does not fit": {"users": answers(http(MISFIT))},
    "a backend that refuses, and says why": {"users": answers(http(PROFILE_BODY, status="403 Forbidden"))},
    "a backend that faults, and says why": {"users": answers(http(PROFILE_BODY, status="500 Oops"))},
    "not JSON": {"users": answers(http(f"<p>{NAME} {EMAIL}".encode()))},
    "not HTTP": {"users": answers(f"{NAME} {EMAIL}\r\n\r\n".encode())},
}


@pytest.fixture
def process_as_it_was() -> Iterator[None]:
    """Put back what ``configure_logs`` changes for the whole process."""
    root = logging.getLogger()
    handlers, level, httpx_level = root.handlers[:], root.level, logging.getLogger("httpx").level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("httpx").setLevel(httpx_level)
    structlog.reset_defaults()


def export_of(phone: Phone, way: Way) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    (layer,) = [one for one in phone.app.user_middleware if one.cls is ObserveMiddleware]
    resource = Resource({"service.name": "mobile"})
    layer.kwargs["observer"].tracing = open_tracing(way, exporter, resource, 1.0, lambda *_: None)
    return exporter


async def all_ways_to_ask(phone: Phone) -> tuple[list[httpx.Response], str]:
    """Ask rightly and wrongly, with the personal data wherever a client might put it."""
    token = phone.issuer.token(claims=phone.issuer.claims(sub=SUBJECT))
    bearer = {"authorization": f"Bearer {token}"}
    telling = {"tracestate": f"{EMAIL}=1", "x-request-id": EMAIL, "user-agent": EMAIL, "cookie": f"sid={NAME}"}
    return [
        await phone.client.get(DASHBOARD, headers=bearer),
        await phone.client.get(PROFILE, headers={**bearer, **telling}),
        await phone.client.get(f"{DASHBOARD}?access_token={token}&email={EMAIL}"),
        await phone.client.get(f"/mobile/v1/{NAME}/{EMAIL}", headers=bearer),
        await phone.client.get(DASHBOARD, headers={"authorization": f"Bearer {token}x"}),
        await phone.client.get(DASHBOARD, headers={"authorization": f"Bearer {EMAIL}"}),
    ], token


@pytest.mark.usefixtures("process_as_it_was")
@pytest.mark.parametrize("backends", BACKENDS.values(), ids=BACKENDS.keys())
@pytest.mark.parametrize("way", ["ledger", "sdk"])
async def test_nothing_personal_leaves_through_telemetry(
    way: Way, backends: dict[str, Script], capsys: pytest.CaptureFixture[str]
) -> None:
    """Log at its most talkative, every trace sampled: no subject, name, e-mail or token in any of it."""
    structlog.reset_defaults()
    configure_logs("mobile", "debug")
    async with live_phone(backends, trace_ratio=1.0) as phone:
        exporter = export_of(phone, way)
        _, token = await all_ways_to_ask(phone)
        scraped = phone.app.state.metrics.scrape().decode()
    logged = capsys.readouterr().out
    spans = "\n".join(span.to_json() for span in exporter.get_finished_spans())

    assert logged.count('"event": "request"') == 6
    assert spans.count('"SpanKind.SERVER"') == 6
    payload, signature = token.split(".")[1:]
    for place, text in (("log", logged), ("spans", spans), ("metrics", scraped)):
        for what in (SUBJECT, NAME, EMAIL, "recognisable", payload, signature):
            assert what not in text, f"{what} in {place}"
