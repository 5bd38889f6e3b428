"""``mobile``: the mobile BFF over scripted backends that are well, on the kit of ``shared/testing``."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bffs.mobile.app import create_app
from bffs.mobile.backends import ACTIVE_ALERTS, MY_PROFILE, PROFILE, RECENT_ORDERS
from bffs.mobile.settings import MobileSettings
from dev.backends.app import create_app as create_sample
from dev.backends.settings import BackendSettings
from shared.testing.bff import Bff, served
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


@pytest.fixture(scope="session")
def sample_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the sample data lies, made once."""
    return tmp_path_factory.mktemp("sample") / "sample.sqlite"


@pytest.fixture
async def sampled(open_bff: OpenBff, sample_file: Path) -> AsyncIterator[Bff]:
    """The BFF over the sample backends of ``dev/backends``, each on a socket and with its own copy of the data."""
    settings = BackendSettings(listen="127.0.0.1:0", database=sample_file, log_level="error")
    async with AsyncExitStack() as stack:
        urls = {}
        for name in ("users", "orders", "alerts"):
            app = create_sample(name, settings)
            stack.callback(app.state.database.close)
            urls[f"{name}_url"] = await stack.enter_async_context(served(app, settings))
        bff = await open_bff(create_app, MobileSettings, **urls)
        bff.app.state.sample_orders = urls["orders_url"]
        yield bff


@pytest.fixture(params=["lean", "fastapi"])
def route(request: pytest.FixtureRequest) -> str:
    """Each of the two ways in which a handler is dispatched."""
    return str(request.param)
