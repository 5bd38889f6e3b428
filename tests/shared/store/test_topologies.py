"""TLS, passwords, sentinels and clusters: the store is reached however it is run, and only by whoever may."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme

from shared.store.address import read_address
from shared.store.command import Script
from shared.store.errors import StoreError, StoreRefused, StoreUnreachable
from shared.store.store import Store
from tests.shared.store.proxy import proxied
from tests.shared.store.servers import KINDS, PATIENT, Server, clustering, serving, watching

MINUTE = timedelta(minutes=1)
PASSWORD = "p@ss:w/rd"
COUNT = Script("return redis.call('INCR', KEYS[1])", int)
# All that the cache and the limits need: docs/operations.md says the same.
MAY = ("~frontage:*", "-@all", "+get", "+set", "+del", "+ping", "+eval", "+evalsha", "+incr")


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    store = Store.open(read_address(url), policy=PATIENT)
    try:
        yield store
    finally:
        await store.aclose()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def serves(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def ca(authority: trustme.CA, tmp_path: Path) -> str:
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    return str(file)


async def test_over_tls_with_an_authority_of_ones_own(server: Server, serves: ssl.SSLContext, ca: str) -> None:
    """The certificate is verified against it, name and all."""
    async with (
        proxied(server.port, tls=serves) as proxy,
        opened(f"valkeys://127.0.0.1:{proxy.port}?ca={quote(ca)}") as store,
    ):
        await store.put(b"k", b"v", MINUTE)
        assert await store.get(b"k") == b"v"


async def test_a_certificate_that_nobody_vouches_for_is_no_store(server: Server, serves: ssl.SSLContext) -> None:
    """Without the authority, nothing is sent."""
    async with proxied(server.port, tls=serves) as proxy, opened(f"valkeys://127.0.0.1:{proxy.port}") as store:
        with pytest.raises(StoreUnreachable):
            await store.get(b"k")


async def test_a_certificate_for_another_name_is_no_store(server: Server, authority: trustme.CA, ca: str) -> None:
    """The chain alone is not enough."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.test").configure_cert(context)
    async with (
        proxied(server.port, tls=context) as proxy,
        opened(f"valkeys://127.0.0.1:{proxy.port}?ca={quote(ca)}") as store,
    ):
        with pytest.raises(StoreUnreachable):
            await store.get(b"k")


@pytest.fixture(params=KINDS)
def guarded(request) -> Iterator[Server]:
    """A server that lets nobody in but one user, who may do little."""
    with serving(request.param) as running:
        with running.client as client:
            client.execute_command("ACL", "SETUSER", "frontage", "on", f">{PASSWORD}", *MAY)
            client.execute_command("ACL", "SETUSER", "default", "off")
        yield running


async def test_a_user_of_the_acl_needs_little(guarded: Server) -> None:
    """Values, scripts and probes work with the commands and keys that the documentation names; no other key does."""
    async with opened(f"valkey://frontage:{quote(PASSWORD, safe='')}@127.0.0.1:{guarded.port}") as store:
        await store.put(b"frontage:k", b"v", MINUTE)
        assert await store.get(b"frontage:k") == b"v"
        assert await store.run(COUNT, [b"frontage:n"], []) == 1
        assert await store.delete(b"frontage:k") == 1
        with pytest.raises(StoreRefused):
            await store.get(b"others:k")


@pytest.mark.parametrize("who", ["frontage:wrong@", ":wrong@", ""])
async def test_whoever_is_not_let_in_has_no_store(guarded: Server, who: str) -> None:
    """A wrong password, no user, nobody: no answer; and the error has no password in it."""
    async with opened(f"valkey://{who}127.0.0.1:{guarded.port}") as store:
        with pytest.raises(StoreError) as refused:
            await store.get(b"frontage:k")
        assert "wrong" not in str(refused.value)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_primary_is_found_again_after_a_fail_over(kind: str, tmp_path: Path) -> None:
    """Two servers, three sentinels: the primary dies, the other takes its place, and is asked by itself."""
    with (
        serving(kind) as primary,
        serving(kind, "--replicaof", "127.0.0.1", str(primary.port)) as replica,
        watching(kind, primary, "main", tmp_path) as sentinels,
    ):
        hosts = ",".join(f"127.0.0.1:{one.port}" for one in sentinels)
        policy = replace(PATIENT, answer_within=timedelta(milliseconds=500))
        store = Store.open(read_address(f"valkey+sentinel://{hosts}/main"), policy=policy)
        await store.put(b"k", b"1", MINUTE)
        primary.stop()

        async with asyncio.timeout(20):
            while True:
                with contextlib.suppress(StoreError):
                    await store.put(b"k", b"2", MINUTE)
                    break
                await asyncio.sleep(0.05)

        assert await store.get(b"k") == b"2"
        with replica.client as client:
            assert client.get("k") == b"2"
        await store.aclose()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_cluster_answers_for_every_slot_and_when_one_moves(kind: str) -> None:
    """A hundred keys over three nodes; scripts on each; a slot that moves to another node is followed."""
    with clustering(kind) as nodes:
        async with opened(f"valkey+cluster://127.0.0.1:{nodes[0].port}") as store:
            keys = [b"key-%d" % index for index in range(100)]
            await asyncio.gather(*[store.put(key, key, MINUTE) for key in keys])
            assert await asyncio.gather(*[store.get(key) for key in keys]) == keys
            assert await asyncio.gather(*[store.run(COUNT, [b"n" + key], []) for key in keys]) == [1] * 100
            held = []
            for node in nodes:
                with node.client as client:
                    held.append(client.dbsize())
            assert min(held) > 10

            move_an_empty_slot(nodes)
            await store.put(MOVED, b"v", MINUTE)
            assert await store.get(MOVED) == b"v"


MOVED = b"{moves}k"


def move_an_empty_slot(nodes: list[Server]) -> None:
    """Give the slot of MOVED from its node to another one."""
    with nodes[0].client as client:
        slot = client.execute_command("CLUSTER", "KEYSLOT", MOVED)
    ids = []
    for node in nodes:
        with node.client as client:
            ids.append(client.execute_command("CLUSTER", "MYID").decode())
    target = (slot * len(nodes) // 16_384 + 1) % len(nodes)
    for node in [nodes[target], *nodes]:
        with node.client as client:
            client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", ids[target])
