from collections.abc import Iterator

import pytest
import uvloop
from structlog.testing import capture_logs


def pytest_asyncio_loop_factories():
    """Run every test here on the loop that the services run on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """Keep log lines off the terminal: structlog's own default paints each traceback with all its variables."""
    with capture_logs():
        yield
