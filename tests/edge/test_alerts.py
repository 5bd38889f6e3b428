"""The alert file: an expression that Prometheus reads, over metrics that exist, and a page that says what to do."""

import re
from pathlib import Path

import promql_parser as promql
import pytest
import yaml

from tests.metrics_page import read_page

PAGE = read_page()
# What Prometheus itself adds to each scrape.
SERIES = {**PAGE.series(), "up": frozenset[str]()}
TARGET = frozenset({"job", "instance"})
RULES = [rule for group in yaml.safe_load(Path("edge/alerts.yaml").read_text())["groups"] for rule in group["rules"]]
each = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
CLOSED = {
    ("frontage_backend_breaker", "state"): {"closed", "open", "half-open"},
    ("frontage_sections_total", "outcome"): {"fresh", "stale", "default", "none", "failed", "unused"},
    ("frontage_limits_checks_total", "outcome"): {"fits", "refused", "shadow", "unjudged"},
    ("frontage_traces_dropped_total", "why"): {"queue_full", "export_failed", "over_ceiling", "closing"},
}


def children(node) -> list:
    """Return what an expression is made of."""
    parts = [getattr(node, name, None) for name in ("lhs", "rhs", "expr", "vector_selector")]
    return [one for one in (*parts, *getattr(node, "args", ())) if one is not None]


def selectors(node) -> list:
    """Return every metric that an expression looks at."""
    if isinstance(node, promql.VectorSelector):
        return [node]
    return [found for child in children(node) for found in selectors(child)]


def labels_of(node) -> frozenset[str]:
    """Return the labels that a result has."""
    if isinstance(node, promql.VectorSelector):
        return SERIES[node.name] | TARGET
    if isinstance(node, promql.AggregateExpr):
        return frozenset(node.modifier.labels)
    if isinstance(node, promql.Call):
        return frozenset().union(*map(labels_of, node.args))
    return labels_of(children(node)[0]) if children(node) else frozenset()


@each
def test_an_alert_looks_at_what_there_is(rule):
    """Every metric is one that the page names, every label one that it has, every word of a closed list one of them."""
    found = selectors(promql.parse(rule["expr"]))
    assert found
    for one in found:
        assert one.name in SERIES, one.name
        for matcher in one.matchers.matchers:
            assert matcher.name in SERIES[one.name] | TARGET, f"{one.name}{{{matcher.name}}}"
            if (one.name, matcher.name) in CLOSED:
                assert set(matcher.value.split("|")) <= CLOSED[one.name, matcher.name]


@each
def test_an_alert_says_whom_it_wakes_and_of_what(rule):
    """A severity of two, one line with labels that its result has, and a row of the page with what to do."""
    assert rule["labels"].keys() == {"severity"}
    assert rule["labels"]["severity"] in {"page", "ticket"}
    summary = rule["annotations"]["summary"]
    said = set(re.findall(r"\$labels\.(\w+)", summary))
    assert said or "$value" in summary
    assert said <= labels_of(promql.parse(rule["expr"]))
    assert PAGE.alerts[rule["alert"]]


def test_the_page_has_no_alert_that_is_not_there():
    """In the file's order, too: the page is read at night."""
    assert list(PAGE.alerts) == [rule["alert"] for rule in RULES]


def test_an_expression_over_nothing_is_noticed():
    """The judge itself: a slip in a name or a label."""
    [slip] = selectors(promql.parse('rate(frontage_request_total{state="5xx"}[5m])'))
    assert slip.name not in SERIES
    assert "state" not in SERIES["frontage_requests_total"]
    with pytest.raises(ValueError, match="unclosed"):
        promql.parse("rate(frontage_requests_total[5m]")
