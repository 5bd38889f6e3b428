"""The compiler: pure, ordered, and the real ``edge.yaml`` goes through it."""

import itertools
import json
import re
import subprocess
from pathlib import Path

import pytest

from edge.assembly import Edge
from edge.envoy.compile import compile_edge
from edge.explain import explain
from edge.load import load
from edge.paths import parse_path
from edge.prepare import prepare
from edge.validate import envoy_path, envoy_problems

EDGE = Path("edge/edge.yaml")
HERE = Path(__file__).parent
# Every kind of route, policy and entry that there is.
FILES = [EDGE, Path("edge/examples/seed.yaml"), *sorted([*HERE.glob("*.yaml"), *HERE.glob("limits/*.yaml")])]


def compiled(path: Path = EDGE, **environment: str):
    prepared = prepare(path, environment, ask_envoy=False)
    assert prepared.problems == ()
    return prepared.compiled


def test_the_systems_own_edge_is_sound_and_envoy_agrees():
    """With defaults alone: no certificate, no running system is needed to judge it."""
    loaded = load(EDGE, {})
    assert loaded.problems == ()
    assert envoy_problems(loaded.edge) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_envoy_finds_nothing_outdated_in_what_it_gets(path, tls, tmp_path):
    """No field that a later Envoy would not know: an upgrade is then a version number."""
    names = re.findall(r"\$\{(\w+)\}", path.read_text())
    named = {name: f"127.0.0.1:{7000 + number}" for number, name in enumerate(dict.fromkeys(names))}
    named |= {"EDGE_CERTIFICATE": str(tls / "edge.pem"), "EDGE_KEY": str(tls / "edge.key")}
    whole = tmp_path / "envoy.json"
    whole.write_text(json.dumps(compiled(path, **named).whole()))
    command = [str(envoy_path()), "--mode", "validate", "--log-level", "warning", "-c", str(whole)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert "Deprecated" not in done.stderr
    assert "in the future" not in done.stderr


def test_same_edge_same_bytes():
    """No clock, no environment, no order of a set."""
    first, second = (json.dumps(compiled().whole(), sort_keys=True) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("order", list(itertools.permutations(["/{**rest}", "/v2/{**rest}", "/v2/admin/{**rest}"])))
def test_case_e2_the_order_in_the_file_decides_nothing(tmp_path, order):
    """Six orders, one route table: the most specific first."""
    names = {"/{**rest}": "a", "/v2/{**rest}": "b", "/v2/admin/{**rest}": "c"}
    lines = [f'  - {{name: {names[path]}, match: {{path: "{path}"}}, cluster: x, timeout: 3s}}' for path in order]
    text = (
        'listeners:\n  p: {address: "127.0.0.1:1", hosts: [localhost], tls: {certificate: a, key: b}}\n'
        'admin: {address: "127.0.0.1:2"}\nclusters: {x: {endpoints: ["127.0.0.1:3"]}}\nroutes:\n' + "\n".join(lines)
    )
    (tmp_path / "edge.yaml").write_text(text)
    [host] = compiled(tmp_path / "edge.yaml").routes["p"]["virtual_hosts"]
    assert [route["name"] for route in host["routes"]] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("template", "takes", "leaves"),
    [
        ("/", ["/"], ["/a"]),
        ("/{**rest}", ["/", "/a", "/a/b"], []),
        ("/a", ["/a"], ["/a/b", "/ab", "/"]),
        ("/a/{**rest}", ["/a", "/a/", "/a/b/c"], ["/ab", "/"]),
        ("/a/{id}", ["/a/b"], ["/a", "/a/b/c"]),
        ("/a/{id}/c/{**rest}", ["/a/b/c", "/a/b/c/d"], ["/a/b", "/a/c"]),
    ],
)
def test_a_template_takes_whole_segments(template, takes, leaves):
    """As Envoy will, in ``explain`` too."""
    parsed = parse_path(template)
    assert all(parsed.takes(path) for path in takes)
    assert not any(parsed.takes(path) for path in leaves)


@pytest.mark.parametrize(
    "path", ["a", "/a//b", "/a/", "/../a", "/a;b", "/a b", "/a?b", "/{**x}/b", "/a{x}", "/%41", "//"]
)
def test_what_no_request_can_look_like_is_no_template(path):
    """Paths are normalised before they are matched."""
    with pytest.raises(ValueError, match=r"segment|begin"):
        parse_path(path)


@pytest.mark.parametrize(("port", "redirect"), [("", 8443), ("443", None), ("9443", 9443)])
def test_the_redirect_leads_to_the_port_that_clients_see(port, redirect):
    """443 needs no mention in a URL."""
    [host] = compiled(EDGE_PUBLIC_PORT=port).routes["redirect"]["virtual_hosts"]
    assert host["routes"][0]["redirect"].get("port_redirect") == redirect


def test_nothing_is_exported_without_an_address():
    """No tracer, no cluster for it; Envoy agrees."""
    whole = json.dumps(compiled(EDGE_TRACES_ADDRESS="").whole())
    assert "/v1/traces" not in whole
    assert "frontage.traces" not in whole
    assert "OpenTelemetryConfig" not in whole
    assert envoy_problems(compiled(EDGE_TRACES_ADDRESS="").edge) == []


def test_no_route_retries_or_rewrites():
    """A BFF retries inside the deadline, and mounts its public paths itself."""
    whole = json.dumps(compiled().routes)
    assert not any(word in whole for word in ("retry_policy", "prefix_rewrite", "regex_rewrite", "hedge_policy"))


def test_every_granted_route_is_authenticated_but_the_graphiql_page():
    """And every one is limited."""
    edge = compiled().edge
    routes = list(edge.routes())
    assert {route.name for route in routes if edge.auth(route) is None} == {"web.graphiql"}
    assert all("per-client" in route.spec.limits for route in routes)


@pytest.mark.parametrize(
    ("method", "url", "headers", "name"),
    [
        ("GET", "https://localhost:8443/mobile/v1/dashboard?x=1", {}, "mobile.v1"),
        ("POST", "https://localhost:8443/web/graphql", {}, "web.graphql"),
        ("GET", "https://localhost:8443/web/graphql", {"accept": "text/html"}, "web.graphiql"),
        ("GET", "https://localhost:8443/health/ready", {}, "no route"),
    ],
)
def test_explain_names_the_route(method, url, headers, name):
    """Offline, from the same table."""
    assert name in "\n".join(explain(compiled().edge, url, method, headers))


def test_compiling_does_not_touch_what_it_was_given():
    """The spec is frozen; compiling twice from one edge gives the same."""
    edge = compiled().edge
    assert compile_edge(edge).whole() == compile_edge(edge).whole()


@pytest.mark.parametrize(("mode", "remembered"), [("verify", True), ("edge", False)])
def test_a_token_is_remembered_only_where_somebody_judges_it_again(mode, remembered):
    """Envoy's memory of tokens knows of no withdrawn key: where the edge alone decides, each is judged anew."""
    edge = load(EDGE, {}).edge
    policies = edge.spec.policies
    auth = {name: one.model_copy(update={"mode": mode}) for name, one in policies.auth.items()}
    spec = edge.spec.model_copy(update={"policies": policies.model_copy(update={"auth": auth})})
    text = json.dumps(compile_edge(Edge(spec, edge.fragments)).whole())
    assert ("jwt_cache_config" in text) == remembered
