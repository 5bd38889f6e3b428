"""Reading: every fault at once, each with its place; variables; fragments."""

from pathlib import Path

import pytest

from edge.load import load
from edge.rules import judge

HEAD = """\
listeners:
  public: {address: "127.0.0.1:8443", hosts: [localhost], tls: {certificate: a.pem, key: a.key}}
admin: {address: "127.0.0.1:9901"}
"""


@pytest.fixture
def read(tmp_path):
    """Read a text as ``edge.yaml``."""

    def reading(text: str, environment: dict[str, str] | None = None):
        path = tmp_path / "edge.yaml"
        path.write_text(text)
        return load(path, environment or {})

    return reading


def test_all_faults_are_reported_at_once(read):
    """One run shows everything that a person has to mend, with line, value and remedy."""
    loaded = read(
        HEAD
        + "clusters:\n  a: {endpoints: [nowhere], balance: best}\n"
        + "routes:\n  - {name: a, mach: {path: /}, cluster: a, timeout: soon}\n"
    )
    said = [str(problem).partition("edge.yaml:")[2] for problem in sorted(loaded.problems)]
    assert [line.partition(":")[0] for line in said] == ["5", "5", "7", "7", "7"]
    text = "\n".join(said)
    for part in ("'nowhere'", "'best'", "'soon'", "did you mean 'match'?", "'routes.0.match' is missing", "e.g. 3s"):
        assert part in text


def test_judges_do_not_hide_each_other(read):
    """One route that breaks four rules gets four findings."""
    loaded = read(
        HEAD + "routes:\n  - {name: a, match: {path: a, hosts: [b.test]}, cluster: b, timeout: 1ms, auth: b}\n"
    )
    assert loaded.problems == ()
    assert {problem.rule for problem in judge(loaded.edge)} == {
        "bad_path", "never_matches", "unknown_cluster", "unknown_policy", "timeout_too_short",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("written", "environment", "port"),
    [
        ("${PORT:-1}", {}, 1), ("${PORT:-1}", {"PORT": "2"}, 2), ("${PORT:-1}", {"PORT": ""}, 1),
        ("${PORT}", {"PORT": "3"}, 3), ("${PORT-4}", {}, 4), ("1${PORT:-2}3", {}, 123),
    ],
)  # fmt: skip
def test_variables_are_filled_as_in_compose_files(read, written, environment, port):
    """From the mapping handed in, never from the process."""
    loaded = read(f'{HEAD}clusters: {{a: {{endpoints: ["h:{written}"]}}}}\n', environment)
    assert loaded.edge.spec.clusters["a"].endpoints[0].address.port == port


def test_a_variable_may_be_set_to_nothing(read):
    """``${NAME-default}``: set but empty means off, here for tracing."""
    text = HEAD + 'telemetry: {traces: "${TRACES-traces:4318}"}\n'
    assert str(read(text).edge.spec.telemetry.traces) == "traces:4318"
    assert read(text, {"TRACES": ""}).edge.spec.telemetry.traces is None


@pytest.mark.parametrize(
    "text", ["", "- a", "a: b: c", "a: !!python/object:os.system {}", "listeners: &x {a: *x}", "\x00", "{" * 2000]
)
def test_garbage_is_a_problem_and_not_a_crash(read, text):
    """Whatever stands in the file."""
    loaded = read(text)
    assert loaded.edge is None
    assert loaded.problems


def test_a_fragment_cannot_reach_for_what_is_the_platforms(tmp_path):
    """Listeners, issuers and clusters are no keys of a fragment."""
    include = 'clusters: {a: {endpoints: ["h:1"]}}\ninclude: {a: {file: a.yaml, prefix: /a}}\n'
    (tmp_path / "edge.yaml").write_text(HEAD + include)
    (tmp_path / "a.yaml").write_text("listeners: {}\nclusters: {}\npolicies: {issuers: {}, auth: {}}\n")
    loaded = load(tmp_path / "edge.yaml", {})
    assert [problem.rule for problem in loaded.problems] == ["unknown_key"] * 4
    assert {Path(problem.place.file).name for problem in loaded.problems} == {"a.yaml"}


def test_a_fragments_own_limit_is_its_own(tmp_path):
    """It is known inside the fragment, by its short name, and nowhere else."""
    include = 'clusters: {a: {endpoints: ["h:1"]}}\ninclude: {a: {file: a.yaml, prefix: /a}}\n'
    route = "  - {{name: {0}, match: {{path: /{0}}}, cluster: a, timeout: 3s, limits: [burst]}}\n"
    (tmp_path / "edge.yaml").write_text(HEAD + include + "routes:\n" + route.format("b"))
    (tmp_path / "a.yaml").write_text(
        "routes:\n" + route.format("a") + "policies: {limits: {burst: {limit: 1, window: 1s}}}\n"
    )
    [problem] = judge(load(tmp_path / "edge.yaml", {}).edge)
    assert (problem.rule, Path(problem.place.file).name) == ("unknown_policy", "edge.yaml")
