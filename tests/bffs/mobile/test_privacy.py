"""No personal data and no credential in spans, log lines or metrics, however the request ends."""

import logging
from collections.abc import Iterator

import httpx
import pytest
import structlog
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bffs.mobile.app import create_app
from bffs.mobile.backends import ACTIVE_ALERTS, MY_PROFILE, RECENT_ORDERS, USERS
from bffs.mobile.backends import PROFILE as PROFILE_CALL
from bffs.mobile.settings import MobileSettings
from shared.asgi.observe import ObserveMiddleware
from shared.telemetry.logs import configure_logs
from shared.telemetry.tracing import Way, open_tracing
from shared.testing.bff import Bff, open_bff
from shared.testing.faults import answer, invalid, raw
from shared.testing.issuer import Issuer
from shared.testing.playing import Fault
from shared.testing.sockets import SocketBackends
from tests.bffs.mobile.sample import DASHBOARD, PROFILE

SUBJECT, NAME, EMAIL = "subject-4711", "Recognisable-Name", "recognisable@example.test"
PROFILE_BODY = f'{{"userId":"{SUBJECT}","displayName":"{NAME}","accountTier":"Gold","email":"{EMAIL}"}}'.encode()
# The wrong shape, so that a validator's error has the payload to quote.
MISFIT = f'{{"userId":"{SUBJECT}","displayName":["{NAME}"],"email":"{EMAIL}"}}'.encode()

USERS_MEET: dict[str, Fault] = {
    "whole": answer(200, PROFILE_BODY),
    "a payload that does not fit": invalid(MISFIT),
    "a backend that refuses, and says why": answer(403, PROFILE_BODY),
    "a backend that faults, and says why": answer(500, PROFILE_BODY),
    "not JSON": invalid(f"<p>{NAME} {EMAIL}".encode(), "text/html"),
    "not HTTP": raw(f"{NAME} {EMAIL}\r\n\r\n".encode()),
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


def export_of(mobile: Bff, way: Way) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    (layer,) = [one for one in mobile.app.user_middleware if one.cls is ObserveMiddleware]
    resource = Resource({"service.name": "mobile"})
    layer.kwargs["observer"].tracing = open_tracing(way, exporter, resource, 1.0, lambda *_: None)
    return exporter


async def all_ways_to_ask(mobile: Bff) -> tuple[list[httpx.Response], str]:
    """Ask rightly and wrongly, with the personal data wherever a client might put it."""
    token = mobile.issuer.token(SUBJECT)
    bearer = {"authorization": f"Bearer {token}"}
    telling = {"tracestate": f"{EMAIL}=1", "x-request-id": EMAIL, "user-agent": EMAIL, "cookie": f"sid={NAME}"}
    return [
        await mobile.client.get(DASHBOARD, headers=bearer),
        await mobile.client.get(PROFILE, headers={**bearer, **telling}),
        await mobile.client.get(f"{DASHBOARD}?access_token={token}&email={EMAIL}"),
        await mobile.client.get(f"/mobile/v1/{NAME}/{EMAIL}", headers=bearer),
        await mobile.client.get(DASHBOARD, headers={"authorization": f"Bearer {token}x"}),
        await mobile.client.get(DASHBOARD, headers={"authorization": f"Bearer {EMAIL}"}),
    ], token


@pytest.mark.usefixtures("process_as_it_was")
@pytest.mark.parametrize("fault", USERS_MEET.values(), ids=USERS_MEET.keys())
@pytest.mark.parametrize("way", ["ledger", "sdk"])
async def test_nothing_personal_leaves_through_telemetry(
    backends: SocketBackends, issuer: Issuer, way: Way, fault: Fault, capsys: pytest.CaptureFixture[str]
) -> None:
    """Log at its most talkative, every trace sampled: no subject, name, e-mail or token in any of it."""
    structlog.reset_defaults()
    configure_logs("mobile", "debug")
    async with open_bff(create_app, MobileSettings, backends, issuer, trace_ratio=1.0) as mobile:
        backends.answers(RECENT_ORDERS, [])
        backends.answers(ACTIVE_ALERTS, [])
        backends.answers(PROFILE_CALL, PROFILE_BODY)
        backends.answers(MY_PROFILE, PROFILE_BODY[:-1] + b',"region":"eu","version":"1"}')
        backends[USERS].fault(fault)
        exporter = export_of(mobile, way)
        _, token = await all_ways_to_ask(mobile)
        scraped = mobile.app.state.metrics.scrape().decode()
    logged = capsys.readouterr().out
    spans = "\n".join(span.to_json() for span in exporter.get_finished_spans())

    assert logged.count('"event": "request"') == 6
    assert spans.count('"SpanKind.SERVER"') == 6
    payload, signature = token.split(".")[1:]
    for place, text in (("log", logged), ("spans", spans), ("metrics", scraped)):
        for what in (SUBJECT, NAME, EMAIL, "recognisable", payload, signature):
            assert what not in text, f"{what} in {place}"
