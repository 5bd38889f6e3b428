"""The three backends in this process, over one sample file for the whole run."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from dev.backends.app import create_app
from dev.backends.database import open_sample
from dev.backends.settings import BackendSettings


@pytest.fixture(scope="session")
def sample_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the sample file, made once."""
    path = tmp_path_factory.mktemp("sample") / "sample.sqlite"
    open_sample(path).close()
    return path


@pytest.fixture
async def backends(sample_file: Path) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """Return a client for each backend."""
    settings = BackendSettings(listen="127.0.0.1:1", database=sample_file)
    async with AsyncExitStack() as stack:
        clients = {}
        for name in ("users", "orders", "alerts"):
            app = create_app(name, settings)
            stack.callback(app.state.database.close)
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            client = httpx.AsyncClient(transport=transport, base_url=f"http://{name}")
            clients[name] = await stack.enter_async_context(client)
        yield clients
