"""``mobile``: the mobile BFF over scripted backends that are well, on the kit of ``shared/testing``."""

from collections.abc import Awaitable, Callable

import pytest

from bffs.mobile.app import create_app
from bffs.mobile.backends import ACTIVE_ALERTS, MY_PROFILE, PROFILE, RECENT_ORDERS
from bffs.mobile.settings import MobileSettings
from shared.testing.bff import Bff
from shared.testing.fixtures import OpenBff
from shared.testing.sockets import SocketBackends
from tests.bffs.mobile.sample import ADA, ALERT, ME, ORDER

OpenMobile = Callable[..., Awaitable[Bff]]


@pytest.fixture
def open_mobile(open_bff: OpenBff, backends: SocketBackends) -> OpenMobile:
    """Open the BFF later, or with other settings, such as ``transport="httpx"``."""

    async def start(**settings: object) -> Bff:
        bff = await open_bff(create_app, MobileSettings, **settings)
        backends.answers(PROFILE, ADA)
        backends.answers(RECENT_ORDERS, [ORDER])
        backends.answers(ACTIVE_ALERTS, [ALERT])
        backends.answers(MY_PROFILE, ME)
        return bff

    return start


@pytest.fixture
async def mobile(open_mobile: OpenMobile) -> Bff:
    """The BFF as it is deployed."""
    return await open_mobile()


@pytest.fixture(params=["lean", "fastapi"])
def route(request: pytest.FixtureRequest) -> str:
    """Each of the two ways in which a handler is dispatched."""
    return str(request.param)
