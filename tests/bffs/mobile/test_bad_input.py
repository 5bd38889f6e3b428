"""What a caller sends wrongly gets a problem with a stable code, and no backend is asked."""

import base64
from collections.abc import Callable

import httpx
import pytest

from shared.testing.bff import Bff
from shared.testing.clock import ManualClock
from shared.testing.faults import down
from shared.testing.issuer import Issuer
from shared.testing.sockets import SocketBackends
from tests.bffs.mobile.conftest import OpenMobile
from tests.bffs.mobile.sample import DASHBOARD


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def b64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def unsigned(issuer: Issuer) -> str:
    """Return the issuer's claims under a header that asks for no signature, without one."""
    header = b64('{"alg": "none", "kid": "kit-1", "typ": "at+jwt"}')
    return f"{header}.{issuer.token().split('.')[1]}."


CREDENTIALS = {
    "none at all": lambda _: {},
    "empty": lambda _: {"authorization": ""},
    "only the scheme": lambda _: {"authorization": "Bearer"},
    "another scheme": lambda issuer: {"authorization": f"Basic {b64(issuer.token())}"},
    "not a token": lambda _: bearer("hunter2"),
    "expired": lambda issuer: issuer.signed_in(exp=1),
    "for another audience": lambda issuer: issuer.signed_in(aud="elsewhere"),
    "of another issuer": lambda issuer: issuer.signed_in(iss="http://evil.test"),
    "alg none": lambda issuer: bearer(unsigned(issuer)),
    "a stranger's signature": lambda _: Issuer().signed_in(),
}


async def ask(mobile: Bff, path: str, headers: object, method: str = "GET") -> httpx.Response:
    return await mobile.client.request(method, path, headers=headers)


@pytest.mark.parametrize("make", CREDENTIALS.values(), ids=CREDENTIALS.keys())
async def test_a_credential_that_does_not_count_is_401(
    open_mobile: OpenMobile, backends: SocketBackends, make: Callable[[Issuer], object], route: str
) -> None:
    """With its challenge, the same text for every cause, and nothing of the credential."""
    mobile = await open_mobile(route=route)
    answer = await ask(mobile, DASHBOARD, make(mobile.issuer))

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] in {"Bearer", 'Bearer error="invalid_token"'}  # RFC 6750 §3.1
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] in {"Send an access token.", "The access token is not valid."}
    assert "hunter2" not in answer.text
    assert backends.requests == []


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/mobile/v1/orders", "GET, POST"), ("/mobile/v1/profile", "GET, PATCH"), ("/mobile/v1/alerts/read", "PUT"),
     (DASHBOARD, "GET")],
)  # fmt: skip
async def test_a_method_that_is_none_of_the_paths(open_mobile: OpenMobile, path: str, methods: str, route: str) -> None:
    """405 with every method that the path takes, also where two routes share it."""
    mobile = await open_mobile(route=route)
    answer = await ask(mobile, path, {}, "DELETE")

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == methods


async def test_two_credentials_are_none(open_mobile: OpenMobile, backends: SocketBackends, route: str) -> None:
    """400: nobody chooses between them (RFC 6750 §3.1)."""
    mobile = await open_mobile(route=route)
    answer = await ask(mobile, DASHBOARD, [("authorization", f"Bearer {mobile.issuer.token()}")] * 2)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert backends.requests == []


async def test_a_token_in_the_query_does_not_count_and_is_not_echoed(mobile: Bff) -> None:
    """Only the Authorization header."""
    token = mobile.issuer.token()
    answer = await ask(mobile, f"{DASHBOARD}?access_token={token}", {})

    assert answer.status_code == 401
    assert token not in answer.text
    assert answer.json()["instance"] == DASHBOARD


async def test_an_issuer_that_cannot_be_reached_is_not_the_callers_fault(
    manual_clock: ManualClock, backends: SocketBackends, open_mobile: OpenMobile
) -> None:
    """503 with Retry-After, not 401: the same token may count in a moment, and does."""
    backends.open_apart("issuer").fault(down())
    mobile = await open_mobile()
    token = mobile.issuer.signed_in()
    answer = await manual_clock.run(ask(mobile, DASHBOARD, token))

    assert (answer.status_code, answer.json()["code"]) == (503, "backend_unreachable")
    assert backends.requests == []

    backends["issuer"].well()
    await manual_clock.advance(int(answer.headers["retry-after"]))
    assert (await manual_clock.run(ask(mobile, DASHBOARD, token))).status_code == 200


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
async def test_an_unknown_path_or_method(
    open_mobile: OpenMobile, method: str, path: str, status: int, code: str | None, route: str
) -> None:
    """404, 405 with Allow; the same with and without a token."""
    mobile = await open_mobile(route=route)
    answers = [await ask(mobile, path, headers, method) for headers in ({}, mobile.issuer.signed_in())]

    for answer in answers:
        assert answer.status_code == status
        assert code is None or answer.json()["code"] == code
        if status == 405:
            assert "GET" in answer.headers["allow"].split(", ")
