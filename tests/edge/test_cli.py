"""``python -m edge``: what people and pipelines call."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

BAD = "tests/edge/bad/unknown_cluster.bad.yaml"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "edge", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": "", **environment})


def test_check_says_ok_in_one_line():
    """Exit 0; Envoy was asked too."""
    done = run("check")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"edge/edge\.yaml: ok, \d+ routes, \d+ clusters\n", done.stdout)


def test_check_prints_every_problem_with_its_place():
    """Exit 1; a line a problem, with a path that a terminal can open."""
    done = run("check", BAD)
    assert done.returncode == 1
    assert done.stdout.startswith(f"{BAD}:6: ")
    assert "did you mean 'orders'?" in done.stdout


def test_check_needs_no_envoy_when_told_so():
    """Rules alone, in a fraction of a second."""
    assert run("check", "--no-envoy").returncode == 0


def test_check_says_what_envoy_objects_to(tmp_path):
    """What the rules let through and Envoy does not is still a problem, not a traceback."""
    text = Path("tests/edge/bad/unknown_cluster.good.yaml").read_text().replace("127.0.0.1:8443", "999.0.0.1:8443")
    (tmp_path / "edge.yaml").write_text(text)
    done = run("check", str(tmp_path / "edge.yaml"))
    assert done.returncode == 1
    assert "Envoy refuses the result" in done.stdout
    assert "Traceback" not in done.stderr


def test_compile_prints_what_envoy_gets():
    """One static configuration, as JSON; a bad file prints its problems on stderr instead."""
    whole = json.loads(run("compile").stdout)
    assert [one["name"] for one in whole["static_resources"]["listeners"]] == ["public", "redirect"]
    done = run("compile", BAD)
    assert (done.returncode, done.stdout) == (1, "")
    assert BAD in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["https://localhost:8443/mobile/v1/dashboard"], "route mobile.v1 (bffs/mobile/edge.yaml:"),
     (["-X", "post", "https://localhost/web/graphql"], "auth     customers (verify; jwt of main; in Envoy)"),
     (["https://localhost/health/ready"], "no route takes it (404)")],
)  # fmt: skip
def test_explain_says_the_way_of_a_request(arguments, said):
    """Route, file and line, policies in order, timeout, endpoints."""
    assert said in run("explain", *arguments).stdout


def test_the_deployment_sets_only_what_the_edge_reads():
    """A name that nobody reads would be ignored in silence."""
    read = set(re.findall(r"\$\{(\w+)", Path("edge/edge.yaml").read_text()))
    read |= set(re.findall(r'envvar="(\w+)"', Path("edge/__main__.py").read_text()))
    deployment = next(yaml.safe_load_all(Path("edge/k8s.yaml").read_text()))
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    given = {one["name"]: one["value"] for one in container["env"]}
    assert set(given) <= read
    assert run("check", "--no-envoy", **given).returncode == 0
