"""Living with an edge: what a change would do, how it does, and one broken route among many."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.edge.edges import RunningEdge, wait_for

SMALL = Path(__file__).with_name("small.yaml").read_text()
BROKEN = '  - {name: wrong, match: {path: "/wrong/{**rest}"}, cluster: echo, timeout: soon}\n'


def run(edge: RunningEdge, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "edge", *arguments, "--state", str(edge.folder / "state")]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=edge.environment)


@pytest.fixture(scope="module")
def edge(new_edge) -> RunningEdge:
    return new_edge(SMALL)


def with_routes(*lines: str) -> str:
    return SMALL.replace("clusters:\n", "".join(lines) + "clusters:\n", 1)


def test_plan_shows_what_a_change_would_do_before_it_is_made(edge, tmp_path):
    """Nothing for the same file; a line for what comes, goes and changes, with old and new value."""
    same = run(edge, "plan", str(edge.file))
    assert (same.returncode, same.stdout) == (0, "nothing would change\n")
    changed = with_routes("  - {name: more, match: {path: /more}, cluster: echo, timeout: 3s}\n").replace("20s", "10s")
    draft = tmp_path / "edge.yaml"
    draft.write_text(changed)
    lines = run(edge, "plan", str(draft)).stdout.splitlines()
    assert "+ route more on localhost" in lines
    assert "~ route open on localhost" in lines
    assert '    route.timeout: "20s" → "10s"' in lines
    assert not any(line.startswith("- ") for line in lines)
    draft.write_text(SMALL + "nonsense: 1\n")
    bad = run(edge, "plan", str(draft))
    assert (bad.returncode, bad.stdout) == (1, "")
    assert "unknown_key" in bad.stderr


def test_status_says_whether_the_files_are_what_is_served(edge):
    """Exit 0 while they are; 1 with every problem while they are not; 0 again when they are mended."""
    well = run(edge, "status")
    assert well.returncode == 0, well.stdout
    assert "envoy     live" in well.stdout
    assert "files     as served" in well.stdout
    edge.file.write_text(with_routes(BROKEN))
    wait_for(lambda: run(edge, "status").returncode == 1, "the file is refused")
    said = run(edge, "status").stdout
    assert "NOT as served" in said
    assert "edge.yaml:9: 'routes.1.timeout' is 'soon'" in said
    edge.file.write_text(SMALL)
    wait_for(lambda: run(edge, "status").returncode == 0, "the file is mended")


def test_status_of_an_edge_that_is_gone(new_edge, tmp_path):
    """It says so, and that is a failure; so is a folder where none ever ran."""
    gone = new_edge(SMALL)
    gone.stop()
    done = run(gone, "status")
    assert done.returncode == 1
    assert "does not answer" in done.stdout
    command = [sys.executable, "-m", "edge", "status", "--state", str(tmp_path)]
    never = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (never.returncode, never.stdout) == (1, f"no edge has run in {tmp_path}\n")


WRONG = "  - {name: wrong, match: {path: /wrong}, "
BROKEN_ROUTES = {
    "a value": (BROKEN, "/wrong/x", 500),
    "an unknown key": (
        "  - {name: wrong, match: {path: /wrong}, cluster: echo, timeout: 3s, tiemout: 3s}\n",
        "/wrong",
        500,
    ),
    "an unknown cluster": (WRONG + "cluster: nowhere, timeout: 3s}\n", "/wrong", 500),
    "a match": ("  - {name: wrong, match: {path: wrong}, cluster: echo, timeout: 3s}\n", "/wrong", 404),
    "no route at all": ("  - wrong\n", "/wrong", 404),
    "two the same": (
        '  - {name: again, match: {path: "/open/{**rest}"}, cluster: echo, timeout: 3s}\n',
        "/open/x",
        200,
    ),
}


@pytest.mark.parametrize("fault", BROKEN_ROUTES)
def test_a_broken_route_answers_500_with_its_name_and_all_others_serve(new_edge, fault):
    """Whatever is wrong with it; by default such a file is refused as a whole."""
    line, path, status = BROKEN_ROUTES[fault]
    edge = new_edge(with_routes(line), EDGE_ISOLATE="1")
    with edge.client() as client:
        wait_for(lambda: client.get("/open/x").status_code == 200, "the sound route serves")
        answer = client.get(path)
    assert answer.status_code == status
    if status == 500:
        assert answer.json()["code"] == "internal"
        assert answer.json()["detail"] == "The route wrong is broken."
    assert edge.events("route_broken")
    assert run(edge, "status").returncode == 1


def test_isolation_is_asked_for_and_does_not_hide_what_is_no_routes_fault(new_edge, tmp_path):
    """Without the flag nothing starts; with it, a broken listener still is an error."""
    edge = new_edge(with_routes(BROKEN), launch_only=True)
    assert edge.process.wait(15) == 1
    edge = new_edge(SMALL.replace("hosts: [localhost]", "hosts: [local host]"), launch_only=True, EDGE_ISOLATE="1")
    assert edge.process.wait(15) == 1
    assert edge.events("config_refused")[0]["rule"] == "bad_host"
