"""What a backend answers wrongly costs its section, never the app: over real sockets, through both transports."""

import json
import time
from typing import NamedTuple

import pytest

from tests.bffs.mobile.phone import DASHBOARD, PROFILE, live_phone
from tests.shared.backends.raw import (
    Line,
    Script,
    answers,
    hangs_up,
    http,
    never_answers,
    then_close,
    then_reset,
    until,
)


class Bad(NamedTuple):
    """What the backend does; the reason on the phone; the status where the section is required."""

    script: Script
    reason: str
    status: int


BAD = {
    "HTML": Bad(answers(http(b"<!doctype html><p>Sorry", "content-type: text/html")), "invalid", 502),
    "truncated JSON": Bad(answers(http(b'[{"id": 1, "am')), "invalid", 502),
    "an answer cut short": Bad(then_close(http(b"[]")[:-1]), "unreachable", 503),
    "NaN": Bad(answers(http(b"NaN")), "invalid", 502),
    "not UTF-8": Bad(answers(http(b'["\xff"]')), "invalid", 502),
    "10 MB": Bad(answers(http(b"[" + b"1," * (5 << 20) + b"1]")), "invalid", 502),
    "a redirect": Bad(answers(http(b"", "location: /api/internal/elsewhere", status="302 Found")), "invalid", 502),
    "nothing": Bad(never_answers, "deadline", 504),
    "hangs up": Bad(hangs_up, "unreachable", 503),
    "resets": Bad(then_reset(b"HTTP/1.1 200 OK\r\n"), "unreachable", 503),
    "500": Bad(answers(http(b"secret stack trace", status="500 Oops")), "faulted", 502),
    "401": Bad(answers(http(b"secret", status="401 Unauthorized")), "refused", 502),
}
every_bad_answer = pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
both_transports = pytest.mark.parametrize("transport", ["wire", "httpx"])


@every_bad_answer
@both_transports
async def test_an_optional_section_is_named_and_the_rest_is_there(bad: Bad, transport: str) -> None:
    """200 within the deadline, valid JSON, nothing of the backend's text, no redirect followed."""
    async with live_phone({"orders": bad.script}, transport=transport) as phone:
        began = time.monotonic()
        answer = await phone.get(DASHBOARD, x_deadline_ms="400")
        took = time.monotonic() - began
        asked = phone.app.state.raw["orders"].requests

    body = json.loads(answer.content)
    assert answer.status_code == 200
    assert [(gap["section"], gap["reason"], gap["source"]) for gap in body["degraded"]] == [
        ("recentOrders", bad.reason, "default")
    ]
    assert (body["displayName"], body["recentOrders"], body["alerts"]) == ("Ada", [], [])
    assert "secret" not in answer.text
    assert took < 1.4  # two attempts' time: what a BFF without a deadline would need; nearer is the machine's luck
    assert all(b"elsewhere" not in sent for sent in asked)


@every_bad_answer
@both_transports
async def test_a_required_section_decides_the_status(bad: Bad, transport: str) -> None:
    """A problem naming the section and nothing of the backend: no host, no text; never 500."""
    async with live_phone({"users": bad.script}, transport=transport) as phone:
        answer = await phone.get(PROFILE, x_deadline_ms="400")

    assert answer.status_code == bad.status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["section"] == "profile"
    assert ("retry-after" in answer.headers) is (bad.reason not in {"invalid", "refused"})
    assert "secret" not in answer.text
    assert "127.0.0.1" not in answer.text


@both_transports
async def test_case_s10_one_users_cookie_is_not_the_next_ones(transport: str) -> None:
    """A backend called by name sets one for Ada: Bob's request has none, and neither gets to see it."""
    profile = b'{"userId":"u","displayName":"X","accountTier":"Gold"}'
    users = answers(http(profile, "set-cookie: sid=ada; Path=/", "set-cookie: other=1; Domain=localhost"))
    async with live_phone({"users": users}, transport=transport) as phone:
        first = await phone.get(PROFILE, subject="ada")
        second = await phone.get(PROFILE, subject="bob")
        requests = phone.app.state.raw["users"].requests

    assert len(requests) == 2
    assert all(b"\ncookie" not in sent.lower() for sent in requests)
    assert "set-cookie" not in first.headers
    assert "set-cookie" not in second.headers


@both_transports
async def test_every_backend_is_asked_before_any_has_answered(transport: str) -> None:
    """Each call is held until all three have arrived: one after another, they would wait for ever."""
    async with live_phone(transport=transport) as phone:
        raw = phone.app.state.raw

        def held(body: bytes) -> Script:
            async def script(line: Line) -> None:
                while await line.request() is not None:
                    await until(lambda: all(backend.requests for backend in raw.values()), "all three have arrived")
                    await line.write(http(body))

            return script

        raw["users"].script = held(b'{"userId":"u-1","displayName":"Ada","accountTier":"Gold"}')
        raw["orders"].script = raw["alerts"].script = held(b"[]")
        answer = await phone.get(DASHBOARD)

    assert answer.json()["degraded"] == []
