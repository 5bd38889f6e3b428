"""Servers that the tests of this folder share: one of each kind, started once."""

from collections.abc import AsyncIterator, Iterator

import pytest

from shared.store.address import read_address
from shared.store.store import Store
from tests.shared.store.servers import KINDS, PATIENT, Server, serving


@pytest.fixture(scope="module", params=KINDS)
def server(request) -> Iterator[Server]:
    with serving(request.param) as running:
        yield running


@pytest.fixture
async def store(server: Server) -> AsyncIterator[Store]:
    with server.client as client:
        client.flushall()
    opened = Store.open(read_address(server.url), policy=PATIENT)
    yield opened
    await opened.aclose()
