"""What every BFF has: backends and keys that live as long as it does, and verification within the deadline."""

import asyncio
import time

import pytest

from tests.shared.asgi.small_bff import SmallBff
from tests.shared.backends.raw import Line, answers, http, never_answers, until


async def test_everything_it_opened_is_closed_with_it() -> None:
    """Each backend and the issuer see their connections close."""
    bff = SmallBff()
    async with bff:
        answer = await bff.client.get("/small/screen", headers=bff.bearer)
        assert answer.json() == {
            "user": "u-1", "main": {"id": 1}, "other": {"id": 1}, "slow": {"id": 1}, "degraded": [],
        }  # fmt: skip
        assert [backend.open for backend in bff.backends.values()] == [1, 1, 1]

        await bff.app.state.backends.aclose()
        await until(lambda: all(backend.open == 0 for backend in bff.backends.values()), "the backends saw the close")


async def test_it_starts_without_its_issuer_and_says_so_to_those_who_ask() -> None:
    """503 with Retry-After, no backend asked; ready all the same."""
    bff = SmallBff()
    bff.jwks.script = answers(http(b"", status="500 Oops"))
    async with bff:
        answer = await bff.client.get("/small/screen", headers=bff.bearer)

        assert (answer.status_code, answer.json()["code"]) == (503, "backend_unreachable")
        assert int(answer.headers["retry-after"]) >= 1
        assert (await bff.client.get("/health/ready")).status_code == 200
        assert all(not backend.requests for backend in bff.backends.values())


@pytest.mark.parametrize("route", ["lean", "fastapi"])
async def test_a_slow_issuer_does_not_extend_the_deadline(route: str) -> None:
    """200 ms is what the caller gave: 504 by then, and the fetch goes on for those who come after."""
    bff = SmallBff(route=route)
    bff.jwks.script = never_answers
    async with bff:
        began = time.monotonic()
        answer = await bff.client.get("/small/screen", headers={**bff.bearer, "x-deadline-ms": "200"})

        assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")
        assert 0.19 < time.monotonic() - began < 0.5
        assert len(bff.jwks.requests) == 1


async def own_number(line: Line) -> None:
    """Answer each request with the number of its user."""
    while (sent := await line.request()) is not None:
        await line.write(http(b'{"id": %s}' % sent.split()[1].rpartition(b"-")[2]))


async def test_users_at_the_same_time_each_get_their_own() -> None:
    """Thirty users over the same three connections: nobody sees another's subject or answer."""
    bff = SmallBff(connections=3, attempt_s=30)  # a busy machine is no failed section
    async with bff:
        for backend in bff.backends.values():
            backend.script = own_number

        async def ask(number: int) -> tuple[str, int, int, int]:
            token = bff.issuer.token(claims=bff.issuer.claims(sub=f"u-{number}"))
            answer = await bff.client.get("/small/screen", headers={"authorization": f"Bearer {token}"})
            body = answer.json()
            return body["user"], body["main"]["id"], body["other"]["id"], body["slow"]["id"]

        got = await asyncio.gather(*map(ask, range(30)))

        assert max(backend.accepted for backend in bff.backends.values()) <= 3
    assert got == [(f"u-{number}", number, number, number) for number in range(30)]
