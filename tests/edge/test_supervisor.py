"""``python -m edge run``: reload, refusal, draining, and nothing left behind."""

import asyncio
import os
import signal
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from edge.admin import Admin
from edge.prepare import prepare
from edge.process import EnvoyProcess
from edge.units import Address
from edge.xds import Rejected, XdsFolder
from tests.edge.edges import RunningEdge, free_port, wait_for
from tests.edge.lines import Ask, Http1Line, Http2Line

SMALL = (Path(__file__).parent / "small.yaml").read_text()
ROUTE = '  - {name: new, match: {path: "/new/{**rest}"}, cluster: echo, timeout: 3s}\n'


def status(edge, path: str) -> int:
    with edge.client() as client:
        return client.get(path).status_code


def is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def small(new_edge) -> RunningEdge:
    """One edge for the tests that only reload it; each leaves it as it was."""
    return new_edge(SMALL)


def put(edge: RunningEdge, text: str) -> None:
    """Replace the file as editors do."""
    draft = edge.folder / "draft"
    draft.write_text(text)
    draft.rename(edge.file)


def test_a_changed_file_is_served_without_a_restart(small):
    """A route comes and goes; the process stays."""
    pid = small.envoy_pid()
    assert status(small, "/new/x") == 404
    put(small, SMALL.replace("clusters:\n", ROUTE + "clusters:\n", 1))
    wait_for(lambda: status(small, "/new/x") == 200, "the new route")
    put(small, SMALL)
    wait_for(lambda: status(small, "/new/x") == 404, "the route is gone")
    assert small.envoy_pid() == pid


def test_a_new_cluster_and_its_route_arrive_together_and_leave_together(small):
    """At no time does a route name a cluster that is not there."""
    text = SMALL.replace("clusters:\n", ROUTE.replace("cluster: echo", "cluster: other") + "clusters:\n", 1)
    put(small, text.replace("telemetry:", '  other: {endpoints: ["${ECHO}"]}\ntelemetry:'))
    seen = set()
    wait_for(lambda: seen.add(status(small, "/new/x")) or 200 in seen, "the new route")
    put(small, SMALL)
    wait_for(lambda: seen.add(status(small, "/new/x")) or status(small, "/new/x") == 404, "the route is gone")
    assert seen <= {200, 404}
    wait_for(lambda: "other::" not in small.admin("/clusters").text, "the cluster is gone")


@pytest.mark.parametrize(
    ("text", "rule"),
    [(SMALL + "nonsense: 1\n", "unknown_key"), (SMALL.replace("cluster: echo", "cluster: nowhere"), "unknown_cluster"),
     ("", "not_yaml")],
    ids=["unknown_key", "unknown_cluster", "empty"],
)  # fmt: skip
def test_a_bad_file_is_refused_and_the_old_configuration_serves_on(small, text, rule):
    """The problems are printed with their place; mending the file is enough."""
    before = len(small.events("config_refused"))
    put(small, text)
    wait_for(lambda: len(small.events("config_refused")) > before, "the refusal")
    refusal = small.events("config_refused")[-1]
    assert refusal["rule"] == rule
    assert "edge.yaml:" in refusal["place"]
    assert refusal["remedy"]
    assert status(small, "/open/x") == 200
    put(small, SMALL.replace("clusters:\n", ROUTE + "clusters:\n", 1))
    wait_for(lambda: status(small, "/new/x") == 200, "the mended file")
    put(small, SMALL)
    wait_for(lambda: status(small, "/new/x") == 404, "as it was")


def test_a_listener_cannot_move_to_a_busy_port(small):
    """Envoy would share it in silence; we refuse and name it."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        busy = other.getsockname()[1]
        put(small, SMALL.replace("${EDGE_PUBLIC_ADDRESS}", f"127.0.0.1:{busy}"))
        wait_for(lambda: any(str(busy) in str(line) for line in small.events("config_refused")), "the refusal")
    assert status(small, "/open/x") == 200
    put(small, SMALL)


def test_an_upstream_that_turns_unhealthy_gets_no_requests_and_comes_back(small, echo):
    """Within a few checks, both ways."""
    echo.healthy = False
    try:
        wait_for(lambda: status(small, "/open/x") == 503, "out of rotation")
    finally:
        echo.healthy = True
    wait_for(lambda: status(small, "/open/x") == 200, "in rotation again")


async def test_an_update_that_envoy_rejects_is_taken_back(tls, echo, tmp_path):
    """A NACK is an exception with Envoy's reason; the files and what is served are as before."""
    ports = [free_port() for _ in range(3)]
    environment = {
        "EDGE_CERTIFICATE": str(tls / "edge.pem"), "EDGE_KEY": str(tls / "edge.key"),
        "ECHO": f"127.0.0.1:{echo.port}", "EDGE_PUBLIC_ADDRESS": f"127.0.0.1:{ports[0]}",
        "EDGE_ADMIN_ADDRESS": f"127.0.0.1:{ports[1]}", "EDGE_OPERATIONS_ADDRESS": f"127.0.0.1:{ports[2]}",
    }  # fmt: skip
    (tmp_path / "edge.yaml").write_text(SMALL)
    good = prepare(tmp_path / "edge.yaml", environment, ask_envoy=False).compiled
    folder, admin = XdsFolder(tmp_path / "state"), Admin(Address("127.0.0.1", ports[1]))
    envoy = await EnvoyProcess.start(folder.put_all(good), concurrency=1, log_level="critical", drain_s=1)
    try:
        await admin.wait_until_live(15)
        before = {path.name: path.read_text() for path in folder.folder.glob("*.json")}
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            environment["EDGE_PUBLIC_ADDRESS"] = f"127.0.0.1:{other.getsockname()[1]}"
            bad = prepare(tmp_path / "edge.yaml", environment, ask_envoy=False).compiled
            with pytest.raises(Rejected, match="Address already in use"):
                await folder.update(bad, admin)
        assert {path.name: path.read_text() for path in folder.folder.glob("*.json")} == before
        socket.create_connection(("127.0.0.1", ports[0]), timeout=5).close()
    finally:
        await envoy.stop()
        await admin.close()


@pytest.mark.parametrize("held_s", [0, pytest.param(10, marks=pytest.mark.long)])
async def test_case_o1_requests_in_flight_end_well_while_the_edge_drains(new_edge, echo, held_s):
    """Over HTTP/1.1 and HTTP/2, readiness says no, both get their answers, then exit 0 and no process is left."""
    edge = await asyncio.to_thread(new_edge, SMALL, EDGE_DRAIN_GRACE_S="20")
    pid = edge.envoy_pid()
    echo.hold()
    ask = Ask("held", "GET", "/open/hold", {}, lambda _: "")
    lines = [await line_to(edge, protocol) for protocol in ("http/1.1", "h2")]
    before = len(echo.seen)
    asking = [asyncio.create_task(line.ask(ask)) for line in lines]
    await asyncio.to_thread(wait_for, lambda: len(echo.seen) == before + 2, "the requests are in flight")
    edge.process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(wait_for, lambda: edge.operations("/health/ready").status_code == 503, "not ready")
    await asyncio.sleep(held_s)  # the case's ten seconds, in the long run
    echo.release()
    assert [status for status, _ in await asyncio.gather(*asking)] == [200, 200]
    assert lines[0].over, "Connection: close"
    assert lines[1].leaving, "GOAWAY"
    assert await asyncio.to_thread(edge.process.wait, 20) == 0
    for line in lines:
        line.close()
    assert not is_alive(pid)
    assert edge.events("stopped")


async def line_to(edge: RunningEdge, protocol: str) -> Http1Line | Http2Line:
    """Connect as a client of that protocol."""
    context = ssl.create_default_context(cafile=str(edge.ca))
    context.set_alpn_protocols([protocol])
    streams = await asyncio.open_connection("127.0.0.1", edge.port, ssl=context, server_hostname="localhost")
    return Http2Line(*streams) if protocol == "h2" else Http1Line(*streams)


def test_envoy_may_open_as_many_files_as_the_system_allows(new_edge):
    """Shells give a thousand and would give more; what does not fit even so is said with what to do."""
    edge = new_edge(SMALL + "protection: {connections: 999999999}\n")
    limits = Path(f"/proc/{edge.envoy_pid()}/limits").read_text().splitlines()
    soft, hard = next(line.split()[3:5] for line in limits if line.startswith("Max open files"))
    assert soft == hard
    [said] = edge.events("few_files")
    assert said["missing"] == 999_999_999 + 1_000 - int(hard)
    assert "protection.connections" in said["remedy"]


def test_ctrl_c_stops_an_idle_edge_at_once(new_edge):
    """Nothing is in flight: no grace is waited out."""
    edge = new_edge(SMALL)
    pid = edge.envoy_pid()
    assert edge.stop(signal.SIGINT) == 0
    assert not is_alive(pid)


def test_a_second_signal_forces_the_end(new_edge, echo):
    """Whoever asks twice does not wait for the slow."""
    edge = new_edge(SMALL)
    echo.hold()
    with edge.client(timeout=30) as client:
        before = len(echo.seen)

        def ask() -> None:
            with suppress(httpx.HTTPError):
                client.get("/open/hold")

        asking = threading.Thread(target=ask)
        asking.start()
        wait_for(lambda: len(echo.seen) > before, "the request is in flight")
        edge.process.send_signal(signal.SIGTERM)
        wait_for(lambda: edge.events("draining"), "draining")
        edge.process.send_signal(signal.SIGTERM)
        assert edge.process.wait(5) == 0
        asking.join(5)
    echo.release()


def test_envoy_does_not_outlive_its_supervisor(new_edge):
    """Not even when the supervisor is killed."""
    edge = new_edge(SMALL)
    pid = edge.envoy_pid()
    edge.process.kill()
    edge.process.wait(5)
    wait_for(lambda: not is_alive(pid), "Envoy is gone")


def test_the_supervisor_does_not_outlive_its_envoy(new_edge):
    """Exit 1, so that whoever supervises us starts both again."""
    edge = new_edge(SMALL)
    os.kill(edge.envoy_pid(), signal.SIGKILL)
    assert edge.process.wait(10) == 1
    assert edge.events("envoy_ended")


def test_a_bad_file_is_not_started(new_edge):
    """Every problem is printed, exit 1."""
    edge = new_edge(SMALL.replace("cluster: echo", "cluster: nowhere"), launch_only=True)
    assert edge.process.wait(20) == 1
    assert [line["rule"] for line in edge.events("config_refused")] == ["unknown_cluster"]


def test_a_busy_port_and_a_missing_key_are_named(new_edge):
    """Both at once, with what to do."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        busy = f"127.0.0.1:{other.getsockname()[1]}"
        text = SMALL.replace("${EDGE_PUBLIC_ADDRESS}", busy).replace("${EDGE_KEY}", "no.key")
        edge = new_edge(text, launch_only=True)
        assert edge.process.wait(20) == 1
    refused = edge.events("config_refused")
    assert {line["rule"] for line in refused} == {"busy_address", "missing_certificate"}
    assert busy in str(refused)
    assert "no.key" in str(refused)


def test_without_keys_tokens_cannot_be_judged_and_that_is_no_401(new_edge, echo, token):
    """503 with Retry-After while the issuer is down; the rest serves; keys are found when it is back."""
    text = (Path(__file__).parent / "edge.yaml").read_text()
    echo.issuer.up = False
    try:
        edge = new_edge(text)
        with edge.client() as client:
            answer = client.get("/secured/x", headers={"authorization": f"Bearer {token}"})
            assert (answer.status_code, answer.json()["code"]) == (503, "backend_unreachable")
            assert answer.headers["retry-after"] == "1"
            assert answer.json()["retryAfterSeconds"] == 1
            assert "www-authenticate" not in answer.headers
            assert client.get("/open/x").status_code == 200
            assert client.get("/secured/x").status_code == 401
            echo.issuer.up = True
            good = {"authorization": f"Bearer {token}"}
            wait_for(lambda: client.get("/secured/x", headers=good).status_code == 200, "the keys")
    finally:
        echo.issuer.up = True
