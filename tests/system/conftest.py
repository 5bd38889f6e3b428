"""``running``: the whole system, once for all tests that ask for it."""

from collections.abc import Iterator

import pytest

from tests.system.running import Running, start, stop


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Start the whole system through the real Envoy, on ports of its own; nothing of it is left afterwards."""
    copy = start(tmp_path_factory.mktemp("system"))
    yield copy
    stop(copy)


@pytest.fixture(autouse=True)
def _well_again(request: pytest.FixtureRequest) -> Iterator[None]:
    """A fault lives for one test."""
    yield
    if "running" in request.fixturenames:
        request.getfixturevalue("running").clear()
