import json
import subprocess
import sys

import httpx
import pytest

from tests.offsets import ROOT
from tests.system.running import Running

pytestmark = pytest.mark.system

QUERY = "query { dashboard { displayName recentOrders { id } alerts { message } degraded { section } } }"


def dev(running: Running, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a developer's command against the copy."""
    place = ["--state", str(running.run.state), "--port-offset", str(running.run.offset)]
    return subprocess.run(
        [sys.executable, "-m", "dev", *command, *place],
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def test_both_clients_get_their_dashboard_through_the_edge(running: Running) -> None:
    """One call each, over TLS that the local CA vouches for."""
    with running.client() as http:
        mobile = http.get("/mobile/v1/dashboard")
        web = http.post("/web/graphql", json={"query": QUERY})
    assert mobile.status_code == web.status_code == 200
    assert mobile.json()["displayName"] == web.json()["data"]["dashboard"]["displayName"] == "Ada"


def test_every_service_is_described_running_and_answers_where_status_says(running: Running) -> None:
    """The status of a copy is what a program needs to use it."""
    said = json.loads(dev(running, "status", "--json").stdout)
    assert said["status"] == "ready"
    bffs = [path.parent.name for path in ROOT.glob("bffs/*/__init__.py")]
    assert {"mobile", "web"} <= set(bffs)
    assert set(said["services"]) == {
        *("edge", "limits", *bffs, "users", "orders", "alerts", "identity", "portal", "valkey", "traces"),
    }
    for name in ("limits", *bffs, "users", "orders", "alerts", "identity", "portal", "traces"):
        assert httpx.get(f"{said['services'][name]['address']}/health/ready").status_code == 200


def test_a_token_is_printed_alone(running: Running) -> None:
    """So that it can stand in a shell substitution."""
    done = dev(running, "token", "u-2")
    assert done.returncode == 0
    assert done.stdout.count(".") == 2
    assert len(done.stdout.split()) == 1


def test_a_fault_is_set_shown_and_cleared(running: Running) -> None:
    """Each command says what then holds."""
    assert dev(running, "fault", "orders").stdout == "orders: well\n"
    said = dev(running, "fault", "orders", "--latency", "800ms", "--status", "503", "--probability", "0.3").stdout
    assert said == "orders: answers 800 ms later, answers 503, for 30% of its calls\n"
    with running.client() as http:
        dev(running, "fault", "orders", "--status", "503")
        degraded = http.get("/mobile/v1/dashboard").json()["degraded"]
    assert [gap["section"] for gap in degraded] == ["recentOrders"]
    assert dev(running, "fault", "orders", "--clear").stdout == "orders: well\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["fault", "mobile", "--silent"], "'mobile' has no fault controls; these have: users, orders, alerts"),
        (["fault", "orders", "--latency", "800"], "a number with its unit, as in 800ms or 2s; not '800'"),
        (["fault", "orders", "--status", "99"], "answered 4"),
        (["trace", "0" * 32], "is not there"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(running: Running, command: list[str], said: str) -> None:
    """Exit code 2, the reason and what would do; never a traceback."""
    done = dev(running, *command)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_trace_is_drawn_with_the_link_to_its_page(running: Running) -> None:
    """By its id, as on the answer's header."""
    with running.client() as http:
        trace_id = http.get("/mobile/v1/dashboard").headers["x-trace-id"]
    for _ in range(100):
        done = dev(running, "trace", trace_id)
        if "recentOrders" in done.stdout:
            break
    assert f"{running.traces}/trace/{trace_id}" in done.stdout
    assert "recentOrders" in done.stdout
