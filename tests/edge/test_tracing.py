"""One trace per request: joined or begun at the edge, exported when sampled, told to client and upstream alike."""

import re

import pytest

from tests.edge.edges import wait_for

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def exported(echo, trace: str) -> list:
    return [span for service, span in list(echo.spans) if service == "edge" and span.trace_id.hex() == trace]


def traced(edge, echo, **headers):
    with edge.client() as client:
        answer = client.get("/users/7", headers={name.replace("_", "-"): value for name, value in headers.items()})
    return answer, dict(echo.seen[-1]["headers"])["traceparent"]


def test_a_span_is_exported_with_the_routes_template_and_no_personal_data(edge, echo):
    """Named by method and template; without query, address or user agent."""
    with edge.client() as client:
        trace = client.get("/users/7?q=secret", headers={"user-agent": "someone"}).headers["x-trace-id"]
    [span] = wait_for(lambda: exported(echo, trace), "the span")
    assert span.name == "GET /users/{id}"
    values = {one.key: one.value.string_value for one in span.attributes}
    assert (values["http.route"], values["http.status_code"], values["frontage.route"]) == (
        "/users/{id}",
        "200",
        "user",
    )
    assert not any(secret in str(span) for secret in ("secret", "someone", "127.0.0.1", "user_agent: s"))


@pytest.mark.parametrize(("ratio", "which"), [("1", "edge"), ("0", "quiet_edge")])
def test_case_t2_a_sampled_caller_is_joined_and_exported(ratio, which, echo, request):
    """Flag 01, whatever the ratio: the same trace id, and the edge's span between the caller's and the upstream's."""
    caller, trace = "00f067aa0ba902b7", ratio * 4 + TRACE[4:]
    answer, sent = traced(request.getfixturevalue(which), echo, traceparent=f"00-{trace}-{caller}-01")
    assert answer.headers["x-trace-id"] == trace
    [span] = wait_for(lambda: exported(echo, trace), "the span")
    assert span.parent_span_id.hex() == caller
    assert sent == f"00-{trace}-{span.span_id.hex()}-01"


def test_case_t2_an_unsampled_caller_is_joined_and_not_exported(edge, echo):
    """Flag 00 goes on as 00; a later sampled span is there while this one is not."""
    silent = "aaaa" + TRACE[4:]
    answer, sent = traced(edge, echo, traceparent=f"00-{silent}-00f067aa0ba902b7-00")
    assert answer.headers["x-trace-id"] == silent
    assert re.fullmatch(f"00-{silent}-[0-9a-f]{{16}}-00", sent)
    later = "bbbb" + TRACE[4:]
    traced(edge, echo, traceparent=f"00-{later}-00f067aa0ba902b7-01")
    wait_for(lambda: exported(echo, later), "the later span")
    assert not exported(echo, silent)


def test_case_t2_without_a_decision_the_ratio_decides(edge, echo, quiet_edge):
    """Ratio 1: flag 01; ratio 0: flag 00, and nothing is exported."""
    answer, sent = traced(edge, echo)
    assert sent.endswith("-01")
    assert sent.split("-")[1] == answer.headers["x-trace-id"]
    quiet, sent = traced(quiet_edge, echo)
    assert sent.endswith("-00")
    assert sent.split("-")[1] == quiet.headers["x-trace-id"]


def test_a_ratio_between_takes_its_share(new_edge, edge, echo):
    """A half is about a half; the flag says which, and each decision is made once."""
    half = new_edge(edge.file.read_text(), RATIO="0.5")
    with half.client() as client:
        for _ in range(80):
            client.get("/users/7")
    flags = [dict(one["headers"])["traceparent"][-2:] for one in echo.seen[-80:]]
    assert set(flags) == {"00", "01"}
    assert 15 < flags.count("01") < 65  # the odds of missing this by chance are one in a hundred million


@pytest.fixture(scope="module")
def quiet_edge(new_edge, edge):
    """Ratio 0."""
    return new_edge((edge.file).read_text(), RATIO="0.0")


@pytest.mark.parametrize(
    ("caller", "whose"),
    [
        ({}, "edge"),
        ({"traceparent": "garbage"}, "edge"),
        ({"traceparent": f"00-{TRACE}-00f067aa0ba902b7-00"}, None),
        ({"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}, None),
    ],
    ids=["none", "malformed", "00", "01"],
)
def test_case_t2_the_upstream_learns_whose_decision_it_was(quiet_edge, untraced_edge, echo, caller, whose):
    """The edge's own ratio said no, or the caller did; what a client claims about that is stripped."""
    for edge in (quiet_edge, untraced_edge):
        for claim in ({}, {"x_frontage_sampling": "edge"}):
            traced(edge, echo, **caller, **claim)
            sent = dict(echo.seen[-1]["headers"])
            assert sent.get("x-frontage-sampling") == whose


@pytest.mark.parametrize(
    "traceparent",
    ["garbage", f"00-{TRACE}-00f067aa0ba902b7", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"00-{TRACE}-{'0' * 16}-01"],
)
def test_a_malformed_traceparent_is_replaced(edge, echo, traceparent):
    """The client still gets a trace id, and the upstream the same one."""
    answer, sent = traced(edge, echo, traceparent=traceparent, tracestate="a=b")
    trace = answer.headers["x-trace-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", trace)
    assert trace != TRACE
    assert re.fullmatch(f"00-{trace}-[0-9a-f]{{16}}-01", sent)


def test_trace_ids_do_not_repeat_between_processes(edge, quiet_edge):
    """Ids made outside a span come from a seeded source: two edges do not make the same ones."""
    with edge.client() as one, quiet_edge.client() as other:
        ids = {client.get("/open/a%2fb").headers["x-trace-id"] for client in (one, other) for _ in range(5)}
    assert len(ids) == 10


def test_each_request_is_one_json_line_with_its_trace_id(edge):
    """Route, status, duration and client address; the path without its query."""
    with edge.client() as client:
        trace = client.get("/open/lined?q=secret").headers["x-trace-id"]
    [line] = wait_for(lambda: edge.requests("/open/lined"), "the line")
    assert line["trace_id"] == trace
    assert (line["route"], line["status"], line["client"], line["method"]) == ("open", 200, "127.0.0.1", "GET")
    assert line["duration_ms"] >= 0
    assert "secret" not in str(line)


def test_a_refused_request_has_its_line_and_its_trace_id_too(edge):
    """What the codec or a path rule refused before a span began."""
    with edge.client() as client:
        trace = client.get("/open/lined%2fb").headers["x-trace-id"]
    wait_for(lambda: any(line.get("trace_id") == trace for line in edge.events("request")), "the line")


@pytest.fixture(scope="module")
def untraced_edge(new_edge, edge):
    """Nowhere to send spans."""
    return new_edge(edge.file.read_text().replace('traces: "${ECHO}"', 'traces: ""'))


def test_without_a_collector_ids_still_travel(untraced_edge, edge, echo):
    """A caller's trace is joined as it is; without one a trace begins; nothing is exported."""
    own, later = "cccc" + TRACE[4:], "dddd" + TRACE[4:]
    answer, sent = traced(untraced_edge, echo, traceparent=f"00-{own}-00f067aa0ba902b7-01")
    assert (answer.headers["x-trace-id"], sent) == (own, f"00-{own}-00f067aa0ba902b7-01")
    answer, sent = traced(untraced_edge, echo)
    assert re.fullmatch(f"00-{answer.headers['x-trace-id']}-[0-9a-f]{{16}}-01", sent)
    with untraced_edge.client() as client:
        missing = client.get("/nowhere")
    assert missing.json()["traceId"] == missing.headers["x-trace-id"]
    traced(edge, echo, traceparent=f"00-{later}-00f067aa0ba902b7-01")
    wait_for(lambda: exported(echo, later), "a span of an edge that has a collector")
    assert not exported(echo, own)
