from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """Keep log lines off the terminal: structlog's own default paints each traceback with all its variables."""
    with capture_logs():
        yield


@pytest.fixture(params=["lean", "fastapi"])
def route(request: pytest.FixtureRequest) -> str:
    """Each of the two ways in which a handler is dispatched."""
    return str(request.param)
