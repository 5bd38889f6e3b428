"""Keys and tokens are in no log, no span, no metric, no answer and no configuration dump (issue 4, point 7)."""

import time

import httpx
import pytest

from tests.edge.control.controls import made
from tests.edge.control.worlds import RunningBff, make_world
from tests.edge.edges import wait_for


@pytest.fixture(scope="module")
def bff(echo, store, tmp_path_factory):
    make_world(echo, store.url)
    traced = f"http://127.0.0.1:{echo.port}"
    folder = tmp_path_factory.mktemp("bff")
    running = RunningBff(folder, echo, store.url, "bffs.mobile", FRONTAGE_OTLP_ENDPOINT=traced).launch()
    try:
        yield running.wait()
    finally:
        running.stop()


def test_no_credential_is_written_down_anywhere(asking, control, bff, echo, store):
    """Good ones, bad ones, in the right place and in every wrong one; a key's id alone may be told."""
    key, _ = made(store.url, "--client", "acme", "--for", "echo", "--for", "mobile", "--scope", "dashboard")
    token, expired = (echo.issuer.token(time.time() - age) for age in (0, 3600))
    opaque = echo.introspection.knows("opaque-token-that-stays-secret")
    strange = "opaque-token-that-nobody-knows-at-all"
    secrets = [key.rpartition("_")[2], *(one.rpartition(".")[2] for one in (token, expired)), opaque, strange]
    answers = []
    with asking.client() as client:
        wait_for(lambda: client.get("/any/s", headers={"x-api-key": key}).status_code == 200, "the key is known", 5)
        for path in ("/any/s", "/signed/s", "/jwt/s", "/open/s"):
            for credential in (key, token, expired, opaque, strange):
                answers += [
                    client.get(path, headers={"authorization": f"Bearer {credential}"}),
                    client.get(path, headers={"x-api-key": credential}),
                    client.get(f"{path}?api_key={credential}"),
                    client.get(path, headers={"authorization": f"Bearer {credential}", "x-api-key": credential}),
                ]
    internal = [
        value for one in echo.seen for name, value in one["headers"] if name.lower() == "x-internal-token"
    ]  # fmt: skip
    assert internal
    secrets += [one.rpartition(".")[2] for one in internal]
    with httpx.Client(base_url=bff.url, trust_env=False) as direct:
        for credential in (key, token, expired, opaque, strange):
            for headers in ({"authorization": f"Bearer {credential}"}, {"x-api-key": credential}):
                answers.append(direct.get("/mobile/v1/dashboard", headers=headers))
            answers.append(direct.get(f"/mobile/v1/dashboard?access_token={credential}"))
    assert {one.status_code for one in answers} == {200, 400, 401}
    wait_for(lambda: len(asking.requests("/signed/s")) >= 20, "the log lines")
    wait_for(lambda: len({service for service, _ in echo.spans}) >= 2, "spans of edge and BFF")
    written = {
        "answers": "".join(f"{one.headers}{one.text}" for one in answers if not one.text.startswith('{"method"')),
        "edge's log": asking.log.read_text(errors="replace"),
        "control's log": control.log.read_text(),
        "BFF's log": bff.log.read_text(),
        "spans": str(echo.spans),
        "control's metrics": control.get("/metrics").text,
        "BFF's metrics": httpx.get(f"{bff.url}/metrics", trust_env=False).text,
        "edge's metrics": asking.operations("/metrics").text,
        "edge's configuration": asking.admin("/config_dump").text,
        "store": str(store.client.hgetall("frontage:{keys}:records")) + str(store.client.keys()),
    }
    assert "token_refused" in written["control's log"]
    assert "api_key_refused" in written["control's log"]
    found = [(where, secret[:8]) for where, text in written.items() for secret in secrets if secret in text]
    assert found == []
