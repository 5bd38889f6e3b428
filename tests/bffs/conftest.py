"""``sampled``: the mobile BFF over the sample backends of ``dev/backends``, which can be written."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bffs.mobile.app import create_app
from bffs.mobile.settings import MobileSettings
from dev.backends.app import create_app as create_sample
from dev.backends.settings import BackendSettings
from shared.testing.bff import Bff, served
from shared.testing.fixtures import OpenBff

OpenSampled = Callable[..., Awaitable[Bff]]


@pytest.fixture(scope="session")
def sample_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the sample data lies, made once."""
    return tmp_path_factory.mktemp("sample") / "sample.sqlite"


@pytest.fixture
async def open_sampled(open_bff: OpenBff, sample_file: Path) -> AsyncIterator[OpenSampled]:
    """Open the BFF over the sample backends of ``dev/backends``, each on a socket and with its own copy of the data."""
    settings = BackendSettings(listen="127.0.0.1:0", database=sample_file, log_level="error")
    async with AsyncExitStack() as stack:
        urls, apps = {}, {}
        for name in ("users", "orders", "alerts"):
            app = apps[name] = create_sample(name, settings)
            stack.callback(app.state.database.close)
            urls[f"{name}_url"] = await stack.enter_async_context(served(app, settings))

        async def start(**settings: object) -> Bff:
            bff = await open_bff(create_app, MobileSettings, **urls, **settings)
            bff.app.state.sample_urls, bff.app.state.sample_apps = urls, apps
            return bff

        yield start


@pytest.fixture
async def sampled(open_sampled: OpenSampled) -> Bff:
    """The BFF over them."""
    return await open_sampled()
