"""What is for developers' machines alone: there in local mode, and nowhere else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.load import load
from edge.rules import judge

ROOT = Path(__file__).resolve().parents[2]
EDGE = ROOT / "edge/edge.yaml"
LOCAL = {"FRONTAGE_MODE": "local"}


@pytest.mark.parametrize("environment", [{}, {"FRONTAGE_MODE": "production"}, {"FRONTAGE_MODE": "LOCAL"}])
def test_elsewhere_the_portal_is_not_even_read(environment: dict[str, str]) -> None:
    """No route, no cluster, no file of it."""
    loaded = load(EDGE, environment)
    assert loaded.edge is not None
    assert loaded.problems == ()
    assert {"mobile", "web"} <= {route.owner for route in loaded.edge.routes()}
    assert "portal" not in {route.owner for route in loaded.edge.routes()}
    assert "portal" not in loaded.edge.spec.clusters
    assert not [file for file in loaded.files if "portal" in file.parts]


def test_in_local_mode_it_is_one_more_owner() -> None:
    """Confined to its prefix as every other, and given no client's credentials."""
    loaded = load(EDGE, LOCAL)
    assert loaded.edge is not None
    assert [*loaded.problems, *judge(loaded.edge)] == []
    assert [route.spec.match.shown() for route in loaded.edge.routes() if route.owner == "portal"] == [
        "/portal/{**rest}"
    ]
    assert loaded.edge.spec.clusters["portal"].credentials == "withheld"


def test_the_committed_routes_are_current() -> None:
    """``make contracts`` was run after the last change of a route, a limit or an auth policy: the portal shows them."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("EDGE_")} | LOCAL
    told = subprocess.run(
        [sys.executable, "-m", "edge", "routes"], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    assert told.stdout == (ROOT / "edge/generated/routes.json").read_text()
    names = [one["name"] for one in json.loads(told.stdout)]
    assert {"mobile.v1", "web.graphql", "portal.home"} <= set(names)
