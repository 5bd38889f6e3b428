"""TLS of listeners and to endpoints: certificates by name, renewed without a restart, shown by clients."""

import os
import shutil
import socket
import ssl
import subprocess
from pathlib import Path

import pytest
import trustme

from tests.edge.echo import Echo
from tests.edge.edges import RunningEdge, wait_for

TEXT = """
listeners:
  public:
    address: ${EDGE_PUBLIC_ADDRESS}
    hosts: [localhost, a.example.test, b.example.test]
    tls:
      certificate: ${FOLDER}/a.pem
      key: ${FOLDER}/a.key
      more: [{certificate: "${FOLDER}/b.pem", key: "${FOLDER}/b.key"}]
      CLIENTS
routes:
  - {name: open, match: {path: "/open/{**rest}"}, cluster: echo, timeout: 2s}
clusters:
  echo: CLUSTER
telemetry: {traces: ""}
admin: {address: "${EDGE_ADMIN_ADDRESS}"}
operations: {address: "${EDGE_OPERATIONS_ADDRESS}"}
"""
PLAIN = '{endpoints: ["${ECHO}"]}'


def put(folder: Path, name: str, certificate: trustme.LeafCert) -> None:
    """Write a pair, each file replaced in one step."""
    parts = {
        "pem": b"".join(one.bytes() for one in certificate.cert_chain_pems),
        "key": certificate.private_key_pem.bytes(),
    }
    for ending, content in parts.items():
        draft = folder / f".{name}.{ending}"
        draft.write_bytes(content)
        draft.rename(folder / f"{name}.{ending}")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def certificates(tmp_path, authority) -> Path:
    """A folder with a.pem, b.pem, their keys, and clients.pem."""
    put(tmp_path, "a", authority.issue_cert("a.example.test", "localhost"))
    put(tmp_path, "b", authority.issue_cert("b.example.test"))
    authority.cert_pem.write_to_path(tmp_path / "clients.pem")
    return tmp_path


@pytest.fixture
def started(new_edge, certificates):
    """Start an edge over these certificates."""

    def start(clients: str = "", cluster: str = PLAIN, **environment: str) -> RunningEdge:
        text = TEXT.replace("CLIENTS", clients).replace("CLUSTER", cluster)
        return new_edge(text, FOLDER=str(certificates), **environment)

    return start


def shown(edge: RunningEdge, authority: trustme.CA, name: str, client: trustme.LeafCert | None = None) -> dict:
    """Return the certificate that a client sees who asks for ``name``, after one request over it."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    if client is not None:
        client.configure_cert(context)
    context.check_hostname = False
    bare = socket.create_connection(("127.0.0.1", edge.port), timeout=10)
    with bare, context.wrap_socket(bare, server_hostname=name) as secure:
        secure.sendall(b"GET /open/x HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        assert secure.recv(12).startswith(b"HTTP/1.1 200")
        return secure.getpeercert()


def names(certificate: dict) -> set[str]:
    return {value for kind, value in certificate["subjectAltName"] if kind == "DNS"}


def test_the_name_that_a_client_asks_for_decides_on_the_certificate(started, authority):
    """The first one is for names that no certificate has."""
    edge = started()
    assert names(shown(edge, authority, "a.example.test")) == {"a.example.test", "localhost"}
    assert names(shown(edge, authority, "b.example.test")) == {"b.example.test"}
    assert names(shown(edge, authority, "c.example.test")) == {"a.example.test", "localhost"}


@pytest.mark.parametrize("how", ["replaced", "written over"])
def test_a_renewed_certificate_is_taken_up_and_open_connections_stay(started, certificates, authority, how):
    """However the files change; no restart, no new listener, and no moment without an answer."""
    edge = started()
    pid, before = edge.envoy_pid(), shown(edge, authority, "b.example.test")["serialNumber"]
    context = ssl.create_default_context()
    authority.configure_trust(context)
    bare = socket.create_connection(("127.0.0.1", edge.port), timeout=10)
    with bare, context.wrap_socket(bare, server_hostname="b.example.test") as held:
        new = authority.issue_cert("b.example.test")
        if how == "replaced":
            put(certificates, "b", new)
        else:
            (certificates / "b.key").write_bytes(new.private_key_pem.bytes())
            (certificates / "b.pem").write_bytes(b"".join(one.bytes() for one in new.cert_chain_pems))
        wait_for(lambda: shown(edge, authority, "b.example.test")["serialNumber"] != before, "the new one is shown")
        held.sendall(b"GET /open/y HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert held.recv(12).startswith(b"HTTP/1.1 200")
    assert edge.envoy_pid() == pid


def test_a_certificate_that_does_not_fit_its_key_is_refused_and_the_old_one_serves_on(started, certificates, authority):
    """Half of a renewal, or a wrong file: named with its place, and mended by the other half."""
    edge = started()
    before = shown(edge, authority, "b.example.test")["serialNumber"]
    new = authority.issue_cert("b.example.test")
    (certificates / "b.pem").write_bytes(b"".join(one.bytes() for one in new.cert_chain_pems))
    wait_for(lambda: edge.events("config_refused"), "the refusal")
    [refusal, *_] = edge.events("config_refused")
    assert refusal["rule"] == "bad_certificate"
    assert "edge.yaml:" in refusal["place"]
    assert shown(edge, authority, "b.example.test")["serialNumber"] == before
    put(certificates, "b", new)
    wait_for(lambda: shown(edge, authority, "b.example.test")["serialNumber"] != before, "the mended pair")


def test_clients_must_show_a_certificate_of_ours(started, authority):
    """mTLS: without one, or with one of a stranger, there is no connection; with one there is, and it says no more."""
    edge = started("clients: {ca: '${FOLDER}/clients.pem'}")
    ours = authority.issue_cert("partner.example.test")
    assert shown(edge, authority, "localhost", ours)
    for client in (None, trustme.CA().issue_cert("partner.example.test")):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            shown(edge, authority, "localhost", client)


def test_a_certificate_may_be_optional(started, authority):
    """Then only a wrong one is refused."""
    edge = started("clients: {ca: '${FOLDER}/clients.pem', required: false}")
    assert shown(edge, authority, "localhost")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        shown(edge, authority, "localhost", trustme.CA().issue_cert("x.example.test"))


@pytest.mark.parametrize(("server_name", "status"), [("up.example.test", 200), ("other.example.test", 503)])
def test_endpoints_are_verified_and_see_our_certificate(started, certificates, authority, server_name, status):
    """Upstream mTLS; a certificate for another name is a 503 problem, and nothing was sent."""
    put(certificates, "edge", authority.issue_cert("edge.example.test"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("up.example.test").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    with Echo(context) as upstream:
        own = "ca: '${FOLDER}/clients.pem', certificate: '${FOLDER}/edge.pem', key: '${FOLDER}/edge.key'"
        tls = f"tls: {{server_name: {server_name}, {own}}}"
        edge = started(cluster=f'{{endpoints: ["127.0.0.1:{upstream.port}"], {tls}}}')
        client_context = ssl.create_default_context()
        authority.configure_trust(client_context)
        bare = socket.create_connection(("127.0.0.1", edge.port), timeout=10)
        with bare, client_context.wrap_socket(bare, server_hostname="localhost") as secure:
            secure.sendall(b"GET /open/x HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert secure.recv(12).decode() == f"HTTP/1.1 {status}"
        assert len(upstream.seen) == (status == 200)


@pytest.mark.long
def test_testssl_has_no_finding(started, certificates, authority):
    """testssl.sh on protocols, ciphers, forward secrecy and known attacks: nothing above informational."""
    program = shutil.which("testssl") or shutil.which("testssl.sh")
    if program is None:
        assert not os.environ.get("CI"), "testssl.sh is not installed (Debian: testssl.sh)"
        pytest.skip("testssl.sh is not installed (Debian: testssl.sh)")
    edge = started()
    found = certificates / "findings.csv"
    checks = ["-p", "-s", "-f", "-P", "-H", "-I", "-T", "-R", "-C", "-O", "-Z", "-W", "-A", "-L", "-F", "-J", "-D"]
    command = [
        program, "--quiet", "--color", "0", "--warnings", "off", "--severity", "LOW", "--csvfile", str(found), *checks,
        f"127.0.0.1:{edge.port}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert "Testing protocols" in done.stdout, done.stdout + done.stderr
    lines = found.read_text().splitlines()
    assert lines[0].startswith('"id"')
    assert [line for line in lines[1:] if "engine_problem" not in line] == []  # that one is of the tester's openssl
