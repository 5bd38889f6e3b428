"""L2: the store is refused, silent, slow, back again; or the limiter is away. Each limit's own choice decides."""

import asyncio
import contextlib
import statistics
import threading
import time
import zlib
from pathlib import Path

import pytest

from tests.edge.edges import wait_for
from tests.shared.store.proxy import Proxy

HERE = Path(__file__).parent
CHOICES = ("open", "closed", "local")
# What a check may wait for the store, and the edge for the limiter; the latter is what a client may lose at most.
STORE_TIMEOUT_S = 0.2
LIMITER_TIMEOUT_S = 0.5
# Calls until the limiter stops asking: those in flight, and the three failures of shared/store/standing.py.
UNTIL_SKIPPED = 6


class ProxyThread:
    """The proxy before the store, driven from plain tests."""

    def __init__(self, to_port: int) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.proxy = Proxy(to_port)
        self.does(self.proxy.listen())

    @property
    def url(self) -> str:
        return self.proxy.url

    def does(self, work) -> object:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    def silent(self, *, silent: bool) -> None:
        self.loop.call_soon_threadsafe(self.proxy.speaks.clear if silent else self.proxy.speaks.set)

    def close(self) -> None:
        self.does(self.proxy.refuse())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()


@pytest.fixture(scope="module")
def proxy(store):
    running = ProxyThread(store.port)
    yield running
    running.close()


@pytest.fixture
def away(proxy):
    """The ways in which a store can be away, and how it comes back."""

    def leave(how: str) -> None:
        if how == "refused":
            proxy.does(proxy.proxy.refuse())
        elif how == "silent":
            proxy.silent(silent=True)
        else:
            proxy.proxy.delay_s = 5.0

    def come_back(how: str) -> None:
        if how == "refused":
            proxy.does(proxy.proxy.listen())
        elif how == "silent":
            proxy.silent(silent=False)
        else:
            proxy.proxy.delay_s = 0.0

    return leave, come_back


@pytest.fixture(scope="module")
def served(proxy, new_limiter, new_edge):
    limiter = new_limiter(proxy.url, FRONTAGE_STORE_ANSWER_WITHIN=f"PT{STORE_TIMEOUT_S}S")
    edge = new_edge((HERE / "failing.yaml").read_text(), LIMITER=limiter.address)
    yield edge, limiter
    edge.stop()


@pytest.fixture
def client(served, fresh, request):
    """A client at an address of its own, so that what the edge counts by itself is of this test alone."""
    wait_for(lambda: served[1].metric("frontage_store_up") == 1.0, "the store is asked")
    address = f"10.0.0.{zlib.crc32(request.node.name.encode()) % 250}"
    with served[0].client(headers={"x-forwarded-for": address}) as opened:
        wait_for(lambda: opened.get("/ready").headers.get("ratelimit"), "limits are judged")
        yield opened


def timed(client, path: str):
    began = time.monotonic()
    answer = client.get(path)
    return answer, time.monotonic() - began


def assert_unavailable(answer) -> None:
    """503 with the stable code, never 429, and no word of the store's."""
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["code"], body["retryable"], body["retryAfterSeconds"]) == ("limiter_unavailable", True, 1)
    assert answer.headers["retry-after"] == "1"
    assert not [word for word in ("valkey", "redis", "store", "connect", "127.0.0.1") if word in answer.text.lower()]


@pytest.mark.parametrize("how", ["refused", "silent", "slow"])
def test_case_l2_a_store_that_is_away_costs_one_timeout_and_each_limit_has_its_way(served, client, away, how):
    """Open passes, closed is a 503, local counts in the edge; soon at no cost; enforced again within 2 s."""
    limiter, (leave, come_back) = served[1], away
    unjudged = 'frontage_limits_checks_total{limit="closed",outcome="unjudged"}'
    before = limiter.metric(unjudged)
    assert [client.get("/open/x").status_code for _ in range(4)] == [200, 200, 200, 429]
    leave(how)

    first = [timed(client, "/open/x") for _ in range(UNTIL_SKIPPED)]
    assert [answer.status_code for answer, _ in first] == [200] * UNTIL_SKIPPED
    assert max(took for _, took in first) < LIMITER_TIMEOUT_S + 0.3
    wait_for(lambda: limiter.metric("frontage_store_up") == 0.0, "the limiter stops asking")
    later = [timed(client, "/open/x") for _ in range(20)]
    assert {answer.status_code for answer, _ in later} == {200}
    assert statistics.median(took for _, took in later) < STORE_TIMEOUT_S / 4

    for _ in range(5):
        assert_unavailable(client.get("/closed/x"))
    assert [client.get("/local/x").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    assert [client.get("/shadow/x").status_code for _ in range(5)] == [200] * 5
    assert [client.get("/guarded/x").status_code for _ in range(7)] == [200] * 5 + [429] * 2
    assert limiter.metric(unjudged) == before + 5

    come_back(how)
    back = time.monotonic()
    wait_for(lambda: client.get("/open/x").status_code == 429, "the limit is enforced again", 10)
    assert time.monotonic() - back < 2.0
    assert [client.get("/closed/x").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_case_l2_a_limiter_that_is_away_is_like_a_store_that_is(served, client):
    """The process is gone: the same three choices, at no cost after the first; a new one is used within 2 s."""
    limiter = served[1]
    assert [client.get("/open/x").status_code for _ in range(4)] == [200, 200, 200, 429]
    limiter.process.kill()
    limiter.process.wait()
    calls = [timed(client, "/open/x") for _ in range(20)]
    assert {answer.status_code for answer, _ in calls} == {200}
    assert max(took for _, took in calls) < LIMITER_TIMEOUT_S + 0.3
    assert statistics.median(took for _, took in calls) < STORE_TIMEOUT_S / 4
    assert_unavailable(client.get("/closed/x"))
    assert [client.get("/local/x").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert 'envoy_cluster_ratelimit_error{envoy_cluster_name="echo"}' in served[0].operations("/metrics").text

    limiter.start()
    back = time.monotonic()
    wait_for(lambda: client.get("/open/x").status_code == 429, "the limit is enforced again", 10)
    assert time.monotonic() - back < 2.0


def test_case_l2_a_limiter_that_says_nothing_costs_a_few_timeouts(served, client):
    """Stopped, not gone: its socket takes everything. After three timeouts nobody is sent there any more."""
    limiter = served[1]
    client.get("/open/x")
    limiter.process.send_signal(19)
    try:
        calls = [timed(client, "/open/x") for _ in range(20)]
        assert {answer.status_code for answer, _ in calls} == {200}
        assert max(took for _, took in calls) < LIMITER_TIMEOUT_S + 0.3
        assert sum(took > LIMITER_TIMEOUT_S / 2 for _, took in calls) <= UNTIL_SKIPPED
    finally:
        with contextlib.suppress(ProcessLookupError):
            limiter.process.send_signal(18)
    back = time.monotonic()
    wait_for(lambda: client.get("/open/x").status_code == 429, "the limit is enforced again", 10)
    assert time.monotonic() - back < 2.0
