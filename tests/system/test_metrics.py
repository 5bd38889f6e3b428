"""What the running system exposes is what ``docs/metrics.md`` says, name for name."""

import re
from collections.abc import Iterator

import httpx
import pytest
from prometheus_client import Metric as Family
from prometheus_client.parser import text_string_to_metric_families

from tests.metrics_page import read_page
from tests.system.running import Running

pytestmark = pytest.mark.system

PAGE = read_page()
BFFS = ("mobile", "web")
# Prometheus' client adds the moment of each counter's birth; Prometheus itself reads it as no metric of ours.
BORN = "_created"
# There once it happened: tests/edge/limits/test_case_l2.py makes it happen.
LATER = "envoy_cluster_ratelimit_error"
QUERY = "{ dashboard { displayName degraded { section } } }"


def exposed(running: Running, service: str) -> dict[str, Family]:
    """Scrape one service as Prometheus does."""
    edge = f"http://127.0.0.1:{running.port(9902)}"
    text = httpx.get(f"{edge if service == 'edge' else running.address(service)}/metrics").raise_for_status().text
    return {named(one): one for one in text_string_to_metric_families(text) if not one.name.endswith(BORN)}


def named(family: Family) -> str:
    """Return the name by which Prometheus knows a family: the parser takes a counter's ending away."""
    ours = family.name.startswith("frontage_")
    return f"{family.name}_total" if ours and family.type == "counter" else family.name


def labels(family: Family) -> Iterator[set[str]]:
    for sample in family.samples:
        if not sample.name.endswith(BORN):
            yield set(sample.labels) - {"le"}


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
    wanted = {one.name: one for one in PAGE.sections["Every service"]}
    if service == "limits":
        wanted |= {one.name: one for one in PAGE.sections["The limiter"]}
    found = exposed(asked, service)
    assert found.keys() == wanted.keys()
    for name, family in found.items():
        assert family.type == wanted[name].type, name
        for seen in labels(family):
            assert seen == wanted[name].labels, name


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
