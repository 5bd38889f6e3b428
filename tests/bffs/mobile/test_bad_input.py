"""What a caller sends wrongly gets a problem with a stable code, and no backend is asked."""

import httpx
import pytest

from shared.testing.scripted import Scripted, reply
from tests.bffs.mobile.phone import ADA, DASHBOARD, Phone, scripted_phone
from tests.shared.identity.tokens_table import Issuer, b64


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def unsigned(issuer: Issuer) -> str:
    return issuer.token(issuer.header(alg="none")).rpartition(".")[0] + "."


CREDENTIALS = {
    "none at all": lambda _: {},
    "empty": lambda _: {"authorization": ""},
    "only the scheme": lambda _: {"authorization": "Bearer "},
    "another scheme": lambda issuer: {"authorization": f"Basic {b64(issuer.token().encode())}"},
    "two of them": lambda issuer: [("authorization", f"Bearer {issuer.token()}")] * 2,
    "not a token": lambda _: bearer("hunter2"),
    "expired": lambda issuer: bearer(issuer.token(claims=issuer.claims(exp=issuer.now - 3600))),
    "for another audience": lambda issuer: bearer(issuer.token(claims=issuer.claims(aud="elsewhere"))),
    "of another issuer": lambda issuer: bearer(issuer.token(claims=issuer.claims(iss="http://evil.test"))),
    "alg none": lambda issuer: bearer(unsigned(issuer)),
    "a stranger's signature": lambda issuer: bearer(issuer.token(key=issuer.stranger)),
}


async def ask(phone: Phone, path: str, headers: object, method: str = "GET") -> httpx.Response:
    return await phone.client.request(method, path, headers=headers)


@pytest.mark.parametrize("make", CREDENTIALS.values(), ids=CREDENTIALS.keys())
async def test_a_credential_that_does_not_count_is_401(make, route: str) -> None:
    """With its challenge, the same text for every cause, and nothing of the credential."""
    users = Scripted(reply(ADA))
    async with scripted_phone(users, route=route) as phone:
        answer = await ask(phone, DASHBOARD, make(phone.issuer))

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] in {"A bearer token is required.", "The access token is not valid."}
    assert "hunter2" not in answer.text
    assert users.requests == []


async def test_a_token_in_the_query_does_not_count_and_is_not_echoed() -> None:
    """Only the Authorization header."""
    async with scripted_phone() as phone:
        token = phone.issuer.token()
        answer = await ask(phone, f"{DASHBOARD}?access_token={token}", {})

    assert answer.status_code == 401
    assert token not in answer.text
    assert answer.json()["instance"] == DASHBOARD


async def test_an_issuer_that_cannot_be_reached_is_not_the_callers_fault() -> None:
    """503 with Retry-After, not 401: the same token may count in a moment."""
    async with scripted_phone() as phone:
        phone.app.state.verifier._keys._url = "http://127.0.0.1:9/jwks"
        phone.app.state.verifier._keys._keys = {}
        phone.app.state.verifier._keys._fetched_at = float("-inf")
        answer = await ask(phone, DASHBOARD, bearer(phone.issuer.token()))

    assert (answer.status_code, answer.json()["code"]) == (503, "backend_unreachable")
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/mobile/v1/nowhere", 404, "not_found"),
        ("GET", "/mobile/v2/dashboard", 404, "not_found"),
        ("GET", "/mobile/v1/dashboard/", 404, "not_found"),
        ("GET", "/mobile/v1/Dashboard", 404, "not_found"),
        ("GET", "/", 404, "not_found"),
        ("GET", "/docs", 404, "not_found"),
        ("POST", DASHBOARD, 405, "method_not_allowed"),
        ("HEAD", DASHBOARD, 405, None),
        ("DELETE", "/mobile/v1/profile", 405, "method_not_allowed"),
    ],
)
async def test_an_unknown_path_or_method(method: str, path: str, status: int, code: str | None, route: str) -> None:
    """404, 405 with Allow; the same with and without a token."""
    async with scripted_phone(route=route) as phone:
        answers = [await ask(phone, path, headers, method) for headers in ({}, bearer(phone.issuer.token()))]

    for answer in answers:
        assert answer.status_code == status
        assert code is None or answer.json()["code"] == code
        if status == 405:
            assert answer.headers["allow"] == "GET"
