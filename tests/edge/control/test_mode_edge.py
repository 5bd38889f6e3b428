"""Mode edge: the BFF believes the edge's plain headers, because nobody else can reach it (mutual TLS, one name)."""

import ssl
import time
from pathlib import Path

import httpx
import pytest
import trustme

from shared.settings import BffSettings
from tests.edge.control.controls import made
from tests.edge.control.worlds import RunningBff, make_world
from tests.edge.edges import wait_for

PROFILE = "/mobile/v1/profile"
EDGE = """
listeners:
  public:
    address: ${EDGE_PUBLIC_ADDRESS}
    hosts: [localhost]
    tls: {certificate: "${EDGE_CERTIFICATE}", key: "${EDGE_KEY}"}
routes:
  - {name: plain, match: {path: "/mobile/{**rest}"}, cluster: mobile, timeout: 3s, auth: plain}
clusters:
  mobile:
    endpoints: ["${BFF}"]
    tls:
      server_name: mobile.internal
      ca: "${HOP}/ca.pem"
      certificate: "${HOP}/edge.internal.pem"
      key: "${HOP}/edge.internal.key"
policies:
  auth:
    plain: {accept: [jwt, opaque, api_key], mode: edge, issuers: [main], scopes: [dashboard]}
  issuers:
    main:
      issuer: http://identity.test
      audience: frontage
      jwks: http://${ECHO}/table/jwks
      algorithms: [ES256, RS256]
      refresh: 1s
control: {endpoints: ["${CONTROL}"], timeout: 10s}
telemetry: {traces: ""}
admin: {address: "${EDGE_ADMIN_ADDRESS}"}
operations: {address: "${EDGE_OPERATIONS_ADDRESS}"}
"""


@pytest.fixture(scope="module")
def hop(tmp_path_factory) -> Path:
    """Certificates of one authority: the BFF's, the edge's, and one of a neighbour who is no edge."""
    folder = tmp_path_factory.mktemp("hop")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    for name in ("mobile.internal", "edge.internal", "neighbour.internal"):
        certificate = authority.issue_cert(name)
        certificate.private_key_pem.write_to_path(folder / f"{name}.key")
        (folder / f"{name}.pem").write_bytes(b"".join(part.bytes() for part in certificate.cert_chain_pems))
    return folder


@pytest.fixture(scope="module")
def world(echo, store):
    return make_world(echo, store.url)


@pytest.fixture(scope="module")
def bff(echo, store, hop, world, tmp_path_factory):
    started = RunningBff(
        tmp_path_factory.mktemp("bff"), echo, store.url, FRONTAGE_IDENTITY_MODE="edge",
        FRONTAGE_TLS_CERTIFICATE=str(hop / "mobile.internal.pem"), FRONTAGE_TLS_KEY=str(hop / "mobile.internal.key"),
        FRONTAGE_TLS_CALLERS=str(hop / "ca.pem"), FRONTAGE_TLS_CALLER="edge.internal",
    ).launch()  # fmt: skip
    try:
        wait_for(lambda: "Uvicorn running" in started.log.read_text() or started.process.poll() is not None, "it", 30)
        assert started.process.poll() is None, started.log.read_text()
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def client(new_edge, control, bff, hop, world):
    edge = new_edge(EDGE, CONTROL=control.address, BFF=f"127.0.0.1:{bff.port}", HOP=str(hop))
    with edge.client() as opened:
        headers = {"authorization": f"Bearer {world.jwt()}"}
        wait_for(lambda: opened.get(PROFILE, headers=headers).status_code == 200, "the keys are there")
        yield opened


def calling(hop: Path, name: str | None, port: int) -> httpx.Client:
    """A client that goes past the edge, with a certificate of that name or with none."""
    context = ssl.create_default_context(cafile=str(hop / "ca.pem"))
    context.check_hostname = False
    if name is not None:
        context.load_cert_chain(hop / f"{name}.pem", hop / f"{name}.key")
    return httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=context, trust_env=False)


TOLD = {"x-auth-sub": "u-1", "x-auth-client": "app", "x-auth-scope": "dashboard", "x-auth-method": "jwt"}


def test_each_kind_is_told_in_plain_headers_and_the_credential_stays_at_the_edge(client, store, world, echo):
    """The BFF needs neither the issuer's keys nor the keys' store to know who calls."""
    key, _ = made(store.url, "--client", "acme", "--for", "mobile", "--scope", "dashboard")
    opaque = echo.introspection.knows("opaque-token-for-mode-edge")
    wait_for(lambda: client.get(PROFILE, headers={"x-api-key": key}).status_code == 200, "the key is known", 5)
    for headers, user in (
        ({"authorization": f"Bearer {world.jwt()}"}, "u-1"), ({"authorization": f"Bearer {opaque}"}, "u-1"),
        ({"x-api-key": key}, "acme"),
    ):  # fmt: skip
        answer = client.get(PROFILE, headers={**headers, "x-auth-sub": "victim", "x-auth-scope": "admin"})
        assert (answer.status_code, answer.json().get("userId")) == (200, user)


def test_names_with_odd_characters_arrive_as_they_are(client, world):
    """A comma, a percent sign or a letter beyond ASCII is no second header and no other name."""
    world.issuer.now = int(time.time())
    for subject in ("a,b", "100%25", "Zoë", "x y"):
        token = world.issuer.token(claims=world.issuer.claims(sub=subject))
        answer = client.get(PROFILE, headers={"authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json()["userId"]) == (200, subject)


def test_a_missing_scope_is_refused_at_the_edge(client, world):
    """As everywhere."""
    world.issuer.now = int(time.time())
    token = world.issuer.token(claims=world.issuer.claims(scope="other"))
    answer = client.get(PROFILE, headers={"authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_attack_a11_who_goes_past_the_edge_is_not_heard(bff, hop):
    """Without a certificate the handshake fails; with a neighbour's, the connection ends; the edge's own is heard."""
    for name in (None, "neighbour.internal"):
        with calling(hop, name, bff.port) as past, pytest.raises(httpx.TransportError):
            past.get(PROFILE, headers=TOLD)
    with calling(hop, "edge.internal", bff.port) as ours:
        assert ours.get(PROFILE, headers=TOLD).status_code == 200
        for headers, status in (
            ({}, 401), ({**TOLD, "x-auth-sub": "a, b"}, 401), ({**TOLD, "x-auth-method": "magic"}, 401),
            ({**TOLD, "x-auth-scope": ""}, 403),
        ):  # fmt: skip
            assert ours.get(PROFILE, headers=headers).status_code == status, headers


GOOD = {"listen": "127.0.0.1:0", "identity_mode": "edge"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [({}, "FRONTAGE_TLS_CALLER"), ({"trust": "insecure-dev"}, "FRONTAGE_TLS"),
     ({"tls_certificate": "c.pem"}, "FRONTAGE_TLS_KEY"),
     ({"tls_certificate": "c.pem", "tls_key": "k.pem", "tls_caller": "edge"}, "FRONTAGE_TLS_CALLERS")],
)  # fmt: skip
def test_attack_a11_a_bff_does_not_start_in_mode_edge_where_others_could_call(settings, said):
    """Plain TCP, half of a certificate, an authority without a name: refused by the variable's name."""
    with pytest.raises(ValueError, match=said):
        BffSettings(**GOOD, **settings)


def test_a_developer_may_go_without_in_local_mode():
    """And nowhere else: see above."""
    assert BffSettings(**GOOD, mode="local", trust="insecure-dev").identity_mode == "edge"
