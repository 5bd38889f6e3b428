"""O4, for HTTP: who fails a check gets nothing, all failing is a 503 at once, and the last one is never put out."""

from contextlib import ExitStack

import pytest

from tests.edge.echo import Echo
from tests.edge.edges import wait_for

TEXT = """
listeners:
  public:
    address: ${EDGE_PUBLIC_ADDRESS}
    hosts: [localhost]
    tls: {certificate: "${EDGE_CERTIFICATE}", key: "${EDGE_KEY}"}
routes:
  - {name: three, match: {path: "/three/{**rest}"}, cluster: three, timeout: 2s}
  - {name: pair, match: {path: "/pair/{**rest}"}, cluster: pair, timeout: 2s}
  - {name: alone, match: {path: "/alone/{**rest}"}, cluster: alone, timeout: 2s}
clusters:
  three:
    endpoints: ["${A}", "${B}", "${C}"]
    balance: round_robin
    health: {path: /health/ready, interval: 200ms, timeout: 200ms}
  pair: {endpoints: ["${A}", "${B}"], balance: round_robin, ejection: {after: 2, counting: answers, time: 1s}}
  alone: {endpoints: ["${A}"], ejection: {after: 2, counting: answers, time: 30s}}
telemetry: {traces: ""}
admin: {address: "${EDGE_ADMIN_ADDRESS}"}
"""
# Two checks, and what a busy machine adds.
TWO_CHECKS_S = 2 * 0.2 + 1.0


@pytest.fixture(scope="module")
def echoes():
    with ExitStack() as stack:
        yield {name: stack.enter_context(Echo()) for name in "abc"}


@pytest.fixture(scope="module")
def edge(new_edge, echoes):
    return new_edge(TEXT, **{name.upper(): f"127.0.0.1:{echo.port}" for name, echo in echoes.items()})


@pytest.fixture
def client(edge, echoes):
    for echo in echoes.values():
        echo.answers.clear()
        echo.healthy = True
    with edge.client() as made:
        wait_for(lambda: took(made, echoes, 6) == {"a": 2, "b": 2, "c": 2}, "all are in rotation")
        yield made


def took(client, echoes, calls: int, path: str = "/three/x") -> dict[str, int]:
    """How many of these calls each upstream got."""
    before = {name: len(echo.seen) for name, echo in echoes.items()}
    for _ in range(calls):
        client.get(path)
    grown = {name: len(echo.seen) - before[name] for name, echo in echoes.items()}
    return {name: count for name, count in grown.items() if count}


def test_case_o4_who_fails_the_check_gets_nothing(client, echoes):
    """One, two, all of three; with none left the answer is a 503 at once, and who recovers is asked again."""
    echoes["a"].healthy = False
    wait_for(lambda: took(client, echoes, 6) == {"b": 3, "c": 3}, "a is left out", TWO_CHECKS_S)
    echoes["b"].healthy = False
    wait_for(lambda: took(client, echoes, 6) == {"c": 6}, "b is left out", TWO_CHECKS_S)
    echoes["c"].healthy = False
    wait_for(lambda: took(client, echoes, 6) == {}, "nobody is asked", TWO_CHECKS_S)
    answer = client.get("/three/x")
    assert (answer.status_code, answer.json()["code"]) == (503, "backend_unreachable")
    assert answer.headers["retry-after"] == "1"
    assert answer.elapsed.total_seconds() < 0.5
    echoes["b"].healthy = True
    wait_for(lambda: took(client, echoes, 6) == {"b": 6}, "b is back")


def test_case_o4_who_answers_badly_is_left_out_for_a_time(client, echoes):
    """Two 500 in a row: the other takes all, and a second later it is tried again."""
    echoes["a"].answers["/pair/x"] = echoes["a"].reply(500, b"{}")
    wait_for(lambda: took(client, echoes, 4, "/pair/x") == {"b": 4}, "a is left out")
    echoes["a"].answers.clear()
    wait_for(lambda: took(client, echoes, 4, "/pair/x") == {"a": 2, "b": 2}, "a is back")


def test_case_o4_the_only_one_is_never_put_out(client, echoes):
    """However badly it answers: its own words reach the client, and the first good one does."""
    echoes["a"].answers["/alone/x"] = echoes["a"].reply(500, b'{"mine":1}')
    answers = [client.get("/alone/x") for _ in range(20)]
    assert {(answer.status_code, answer.content) for answer in answers} == {(500, b'{"mine":1}')}
    echoes["a"].answers.clear()
    assert client.get("/alone/x").status_code == 200
