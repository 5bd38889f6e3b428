"""What the running system exposes is what ``docs/metrics.md`` says, name for name."""

import re

import httpx
import pytest
from prometheus_client import Metric as Family

from tests.metrics_page import misfits, read_page, scraped
from tests.system.running import Running

pytestmark = pytest.mark.system

PAGE = read_page()
BFFS = ("mobile", "web")
# There once it happened: tests/edge/limits/test_case_l2.py makes it happen.
LATER = "envoy_cluster_ratelimit_error"
QUERY = "{ dashboard { displayName degraded { section } } }"


def exposed(running: Running, service: str) -> dict[str, Family]:
    """Scrape one service as Prometheus does."""
    edge = f"http://127.0.0.1:{running.port(9902)}"
    text = httpx.get(f"{edge if service == 'edge' else running.address(service)}/metrics").raise_for_status().text
    return scraped(text)


@pytest.fixture(scope="module")
def asked(running: Running) -> Running:
    """A system that has seen a request of every kind: a good one, one without a token, one that nobody serves."""
    running.fault("orders", status=503)
    with running.client() as http:
        assert http.get("/mobile/v1/dashboard").status_code == 200
        assert http.post("/web/graphql", json={"query": QUERY}).status_code == 200
        http.post("/web/graphql", json={"query": "{ nothing }"})
        assert http.get("/nowhere").status_code == 404
    with running.client(user=None) as http:
        assert http.get("/mobile/v1/dashboard").status_code == 401
    return running


@pytest.mark.parametrize("service", [*BFFS, "limits"])
def test_a_service_exposes_what_the_page_says_and_nothing_else(asked: Running, service: str) -> None:
    """Each documented name is there, with its type and its labels; each of ours that is there is documented."""
    wanted = PAGE.sections["Every service"] + (PAGE.sections["The limiter"] if service == "limits" else [])
    assert misfits(exposed(asked, service), wanted) == []


def test_every_label_was_seen_somewhere(asked: Running) -> None:
    """So that the test above has judged more than names: what a quiet system does not have is listed here."""
    quiet = re.compile(r"hedges|turns|left_out|traces|spared|stored|unjudged")
    for service in (*BFFS, "limits"):
        without = {name for name, family in exposed(asked, service).items() if not family.samples}
        own = {"frontage_limits_checks_total", "frontage_limits_connections", "frontage_store_up"}
        if service == "limits":
            assert not own & without
        else:
            assert {name for name in without if not quiet.search(name)} <= {"frontage_graphql_errors_total"}


def test_the_edge_exposes_what_the_page_says(asked: Running) -> None:
    """Envoy has hundreds more; those that people and alerts rely on are there, under their names and labels."""
    found = exposed(asked, "edge")
    for one in PAGE.sections["The edge"]:
        if one.name == LATER:
            continue
        assert one.name in found, one.name
        assert found[one.name].type == one.type, one.name
        seen = [set(sample.labels) - {"le"} for sample in found[one.name].samples]
        assert set(one.labels) in seen, (one.name, seen[:2])


def test_no_name_of_the_edge_holds_a_name_of_ours(asked: Running) -> None:
    """A cluster is a label, or no rule could be written for all of them."""
    clusters = {
        sample.labels["envoy_cluster_name"]
        for sample in exposed(asked, "edge")["envoy_cluster_membership_total"].samples
    }
    assert {"mobile", "web", "frontage_limiter", "frontage_traces", "frontage_jwks_main"} <= clusters
