"""``web``: the web BFF over scripted backends that are well, on the kit of ``shared/testing``."""

from collections.abc import Awaitable, Callable

import pytest

from bffs.web.app import create_app
from bffs.web.backends import ALERTS_OF, ORDERS_OF
from bffs.web.backends import PROFILE as PROFILE_OF
from bffs.web.settings import WebSettings
from shared.testing.fixtures import OpenBff
from shared.testing.sockets import SocketBackends
from tests.bffs.web.web import ALERT, ORDER, PROFILE, Web

OpenWeb = Callable[..., Awaitable[Web]]


@pytest.fixture(params=["plans", pytest.param("core", marks=pytest.mark.long)])
def graphql(request: pytest.FixtureRequest) -> str:
    """Who executes operations: everything that the web BFF promises holds either way."""
    return request.param


@pytest.fixture
def open_web(open_bff: OpenBff, backends: SocketBackends, graphql: str) -> OpenWeb:
    """Open the BFF later, or with other settings, such as ``mode="local"``."""

    async def start(**settings: object) -> Web:
        web = Web(await open_bff(create_app, WebSettings, **{"graphql": graphql, **settings}))
        backends.answers(PROFILE_OF, PROFILE)
        backends.answers(ORDERS_OF, [ORDER])
        backends.answers(ALERTS_OF, [ALERT])
        return web

    return start


@pytest.fixture
async def web(open_web: OpenWeb) -> Web:
    """The BFF as it is deployed, signed in as u-1."""
    return await open_web()
