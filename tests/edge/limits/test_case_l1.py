"""L1: who forwards for others may say who calls; nobody gets a new counter, or another's, by writing a header."""

import json
import socket
import ssl
import zlib
from collections import Counter

import pytest

TEXT = """
listeners:
  public:
    address: ${EDGE_PUBLIC_ADDRESS}
    hosts: [localhost]
    tls: {certificate: "${EDGE_CERTIFICATE}", key: "${EDGE_KEY}"}
    trusted_hops: 1
    trusted_proxies: [127.0.0.1/32]
routes:
  - {name: all, match: {path: "/all/{**rest}"}, cluster: echo, timeout: 5s, limits: [all]}
  - {name: here, match: {path: "/here/{**rest}"}, cluster: echo, timeout: 5s, limits: [here]}
clusters:
  echo: {endpoints: ["${ECHO}"]}
policies:
  limits:
    all: {limit: 10, window: 1m, scope: distributed, on_store_failure: closed}
    here: {limit: 10, window: 10m}
limiter: {endpoints: ["${LIMITER}"], timeout: 5s}
telemetry: {traces: ""}
admin: {address: "${EDGE_ADMIN_ADDRESS}"}
"""
PROXY, STRANGER = "127.0.0.1", "127.0.0.9"
VICTIM = "10.7.7.7"


@pytest.fixture(scope="module")
def behind(new_edge, limiter):
    return new_edge(TEXT, LIMITER=limiter.address)


class Caller:
    """Calls over one connection from an address of this machine, with header lines exactly as given."""

    def __init__(self, edge, source: str) -> None:
        context = ssl.create_default_context(cafile=str(edge.ca))
        context.set_alpn_protocols(["http/1.1"])
        bare = socket.create_connection(("127.0.0.1", edge.port), timeout=10, source_address=(source, 0))
        self.line = context.wrap_socket(bare, server_hostname="localhost")
        self.reader = self.line.makefile("rb")

    def __call__(self, path: str, *forwarded: str) -> tuple[int, dict]:
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", *(f"X-Forwarded-For: {one}" for one in forwarded)]
        self.line.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        status = int(self.reader.readline().split()[1])
        length = 0
        while (line := self.reader.readline()) != b"\r\n":
            name, _, value = line.decode().partition(":")
            length = int(value) if name.lower() == "content-length" else length
        return status, json.loads(self.reader.read(length))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.reader.close()
        self.line.close()


def own_address(case: str) -> str:
    """An address for each case, so that what the edge counts by itself is of this case alone."""
    return f"10.8.{zlib.crc32(case.encode()) % 250}.{zlib.crc32(case[::-1].encode()) % 250}"


SPOOFED = {
    "rotating": lambda real, n: [f"6.6.{n // 250}.{n % 250}, {real}"],
    "two_lines": lambda real, n: [f"6.6.{n // 250}.{n % 250}", real],
    "victim": lambda real, n: [f"{VICTIM}, {real}"],
    "many": lambda real, n: [", ".join([*(f"7.7.7.{one % 250}" for one in range(n)), real])],
}


@pytest.mark.parametrize("path", ["/all/x", "/here/x"])
@pytest.mark.parametrize("how", SPOOFED)
def test_case_l1_what_stands_before_the_trusted_hop_opens_no_counter(behind, fresh, how, path):
    """A hundred calls with another forged part each: ten pass. The one whose name was used is not touched."""
    real = own_address(how)
    with Caller(behind, PROXY) as call:
        statuses = Counter(call(path, *SPOOFED[how](real, n))[0] for n in range(100))
        assert statuses == {200: 10, 429: 90}
        if how == "victim":
            assert call(path, VICTIM)[0] == 200


@pytest.mark.parametrize("path", ["/all/x", "/here/x"])
def test_case_l1_a_stranger_is_who_he_is(behind, fresh, path):
    """Not one of our proxies: whatever he writes, his own address is limited, and upstream sees no other."""
    with Caller(behind, STRANGER) as call:
        answers = [call(path, own_address(f"stranger{n}")) for n in range(100)]
    assert Counter(status for status, _ in answers) == {200: 10, 429: 90}
    assert {seen_address(body) for status, body in answers if status == 200} == {STRANGER}


@pytest.mark.parametrize("garbage", ["unknown", "1.2.3.4.5", "", "10.0.0.1:80", "a\x81b", "_hidden"])
def test_case_l1_garbage_in_the_trusted_place_is_the_proxy_itself(behind, fresh, garbage):
    """No address can be read there: the peer's counts, and nobody passes uncounted."""
    with Caller(behind, PROXY) as call:
        answers = [call("/all/x", f"6.6.6.{n}, {garbage}") for n in range(30)]
    assert Counter(status for status, _ in answers) == {200: 10, 429: 20}
    assert {seen_address(body) for status, body in answers if status == 200} <= {PROXY, "10.0.0.1"}


def test_case_l1_upstream_sees_the_address_that_was_counted(behind, fresh):
    """One address, and nothing that the caller wrote: what a BFF logs is what was limited."""
    with Caller(behind, PROXY) as call:
        status, body = call("/all/x", f"6.6.6.6, {VICTIM}")
    assert status == 200
    assert seen_address(body) == VICTIM


def seen_address(body: dict) -> str:
    [value] = [value for name, value in body["headers"] if name.lower() == "x-forwarded-for"]
    return value
