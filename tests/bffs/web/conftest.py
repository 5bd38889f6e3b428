"""The app over real sockets, with real tokens."""

import time
from collections.abc import AsyncIterator

import pytest

from bffs.web.app import create_app
from tests.bffs.web.loopback import World, loopback
from tests.bffs.web.web import Web, running, settings
from tests.shared.identity.tokens_table import Issuer


@pytest.fixture(scope="session")
def issuer() -> Issuer:
    """One issuer for the run: making keys takes time."""
    return Issuer(int(time.time()))


@pytest.fixture
async def world(issuer: Issuer) -> AsyncIterator[World]:
    """Three backends and the issuer's keys."""
    async with loopback(issuer.jwks()) as opened:
        yield opened


@pytest.fixture
async def web(world: World, issuer: Issuer) -> AsyncIterator[Web]:
    """The app, signed in as u-1."""
    app = create_app(settings(world.url))
    async with running(app) as http:
        http.headers["authorization"] = f"Bearer {issuer.token()}"
        yield Web(app, http)
