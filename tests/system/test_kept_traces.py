"""A system that samples next to nothing: what ended badly is found all the same, and the SDK's spans fit in as well.

A copy of its own: the edge's ratio is 0, and the web BFF makes its spans with the OpenTelemetry SDK.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml

from dev.waterfalls import draw_trace
from tests.offsets import ROOT
from tests.system.running import BACKENDS, Running, start, stop
from tests.system.test_answers import QUERY
from tests.system.test_request_life import DASHBOARD, trace_of

pytestmark = [pytest.mark.system, pytest.mark.long]

TRACE, PARENT = "c" * 32, "b" * 16


@pytest.fixture(scope="module")
def sparse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Start the copy from a tree that differs in its compose.yaml only."""
    tree = tmp_path_factory.mktemp("tree")
    for entry in ROOT.iterdir():
        if entry.name != "compose.yaml":
            (tree / entry.name).symlink_to(entry)
    compose: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    compose["services"]["edge"]["environment"]["EDGE_TRACE_RATIO"] = "0.0"
    compose["services"]["web"]["environment"]["FRONTAGE_TRACING"] = "sdk"
    (tree / "compose.yaml").write_text(yaml.safe_dump(compose))
    copy = start(tmp_path_factory.mktemp("sparse"), tree / "compose.yaml")
    yield copy
    stop(copy)


@pytest.fixture(autouse=True)
def _well_again_too(sparse: Running) -> Iterator[None]:
    yield
    sparse.clear()


def is_there(running: Running, trace_id: str) -> bool:
    return httpx.get(f"{running.traces}/api/traces/{trace_id}").status_code == 200


def test_a_degraded_request_is_found_although_the_edge_did_not_sample_it(sparse: Running) -> None:
    """The whole of the BFF's part, with why; backends are told 00; the terminal draws it."""
    sparse.fault("orders", status=503)
    with sparse.client("u-401") as http:
        trace_id = http.get(DASHBOARD).headers["x-trace-id"]

    spans = trace_of(sparse, trace_id, 8)
    assert {span["service"] for span in spans} == {"mobile"}
    (server,) = [span for span in spans if span["operationName"] == "GET /mobile/v1/dashboard"]
    assert server["tags"]["frontage.kept"] == "degraded"
    sent = [call["traceparent"] for call in sparse.seen("orders")["calls"]]
    assert all(one.startswith(f"00-{trace_id}-") and one.endswith("-00") for one in sent)
    drawn = draw_trace(sparse.record, trace_id, 120)
    assert "not sampled, kept because degraded" in drawn
    assert "recentOrders: faulted (answered 503)" in drawn
    assert "parent not here" not in drawn
    assert draw_trace(sparse.record, "last", 120).splitlines()[0] == drawn.splitlines()[0]
    assert any(trace_id in line and "answered 503" in line for line in sparse.log("mobile").splitlines())


def test_case_t2_a_caller_that_said_no_is_not_overruled(sparse: Running) -> None:
    """Degraded or not: 00 from outside exports nothing, whatever else the client claims."""
    sparse.fault("orders", status=503)
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-00", "x-frontage-sampling": "edge"}
    with sparse.client("u-402", headers=headers) as http:
        assert http.get(DASHBOARD).json()["degraded"]
    with sparse.client("u-403") as http:
        later = http.get(DASHBOARD).headers["x-trace-id"]

    trace_of(sparse, later, 8)  # sent later and there already: what was to come has come
    assert not is_there(sparse, TRACE)


def test_case_t1_one_trace_with_the_sdks_spans(sparse: Running) -> None:
    """Edge, web BFF, sections, attempts, backends: the same tree, made by the stock part."""
    trace_id = "d" * 32
    with sparse.client("u-404", headers={"traceparent": f"00-{trace_id}-{PARENT}-01"}) as http:
        assert http.post("/web/graphql", json={"query": QUERY}).status_code == 200

    spans = trace_of(sparse, trace_id, 11)
    by_id = {span["spanID"]: span for span in spans}
    assert {span["service"] for span in spans} == {"edge", "web", *BACKENDS}
    for backend in BACKENDS:
        (answered,) = [span for span in spans if span["service"] == backend]
        attempt = by_id[answered["references"][0]["spanID"]]
        section = by_id[attempt["references"][0]["spanID"]]
        server = by_id[section["references"][0]["spanID"]]
        assert [one["service"] for one in (attempt, section, server)] == ["web"] * 3
        assert server["operationName"] == "POST /web/graphql"
        assert by_id[server["references"][0]["spanID"]]["service"] == "edge"
