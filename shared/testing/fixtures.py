"""The testing kit as pytest fixtures. In ``tests/conftest.py``: ``pytest_plugins = ["shared.testing.fixtures"]``.

``backends``        scripted backends on real sockets           ``issuer``         made-up identities
``open_bff``        runs a BFF over them                        ``manual_clock``   time turned by hand, for all of them
``backend_calls``   guards of how often backends are asked      ``golden``         answers kept as files
``logged``          what was logged, as data

This is the one module that knows pytest: images have the rest of the kit, unused, and no pytest.
"""

import os
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping, MutableMapping
from contextlib import AsyncExitStack
from typing import Any, Protocol, TypeVar

import httpx
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from shared.settings import BffSettings
from shared.testing.bff import Bff, CreateApp
from shared.testing.bff import open_bff as open_one
from shared.testing.calls import BackendCalls
from shared.testing.clock import ManualClock
from shared.testing.golden import VOLATILE, compare, kept_form
from shared.testing.issuer import Issuer
from shared.testing.loopback import clock_over_sockets
from shared.testing.sockets import SocketBackends

S = TypeVar("S", bound=BffSettings)
Logged = list[MutableMapping[str, Any]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--update-goldens``."""
    parser.addoption("--update-goldens", action="store_true", help="write golden answers anew; look at the diff")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to write goldens where nobody looks at the diff."""
    if config.getoption("--update-goldens") and os.environ.get("CI") == "true":
        raise pytest.UsageError("--update-goldens is for a developer's machine: CI compares, it does not write")


class OpenBff(Protocol):
    """Run a BFF until the end of the test: its ``create_app``, its settings class, and settings otherwise."""

    async def __call__(self, create_app: CreateApp[S], settings: type[S], **changes: Any) -> Bff:
        """Return it, running."""


class Golden(Protocol):
    """Compare an answer with ``golden/<name>.json`` beside the test."""

    def __call__(self, answer: httpx.Response, name: str, *, volatile: Mapping[str, str] = VOLATILE) -> None:
        """Raise AssertionError with the difference. ``volatile``: fields that differ in every run, and their kind."""


@pytest_asyncio.fixture
async def manual_clock() -> AsyncIterator[ManualClock]:
    """Turn time by hand: a test that asks for this has it in the BFF, in every backend and in every token."""
    async with clock_over_sockets() as clock:
        yield clock


@pytest.fixture
def logged() -> Iterator[Logged]:
    """Every log line of the test, as data; none on the terminal."""
    with capture_logs() as lines:
        yield lines


@pytest.fixture
def clock_of_the_test(request: pytest.FixtureRequest) -> ManualClock | None:
    """Return the clock turned by hand if the test asked for it, else None: the real one."""
    if "manual_clock" not in request.fixturenames:
        return None
    clock: ManualClock = request.getfixturevalue("manual_clock")
    return clock


@pytest_asyncio.fixture
async def backends(clock_of_the_test: ManualClock | None) -> AsyncIterator[SocketBackends]:
    """Scripted backends. A request that no test scripted fails the test at its end."""
    opened = SocketBackends(clock_of_the_test)
    yield opened
    await opened.aclose()
    if opened.unscripted:
        pytest.fail("backends were asked what no test scripted: " + "; ".join(dict.fromkeys(opened.unscripted)))


@pytest.fixture
def issuer(clock_of_the_test: ManualClock | None) -> Issuer:
    """A made-up issuer: ``issuer.signed_in("ada")``."""
    return Issuer(clock_of_the_test.wall_s if clock_of_the_test else time.time)


@pytest_asyncio.fixture
async def open_bff(
    backends: SocketBackends, issuer: Issuer, clock_of_the_test: ManualClock | None,
    logged: Logged,  # noqa: ARG001 - asked for its effect: nothing on the terminal
) -> AsyncIterator[OpenBff]:  # fmt: skip
    """Run BFFs over ``backends``, each until the test ends: call it with ``create_app`` and a settings class."""
    async with AsyncExitStack() as stack:

        async def start(create_app: CreateApp[S], settings: type[S], **changes: Any) -> Bff:
            opening = open_one(create_app, settings, backends, issuer, clock_of_the_test, **changes)
            return await stack.enter_async_context(opening)

        yield start


@pytest.fixture
def backend_calls(backends: SocketBackends) -> BackendCalls:
    """Guards of how often backends are asked."""
    return BackendCalls(backends)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare answers with files; ``pytest --update-goldens`` writes them."""
    folder = request.path.parent / "golden"
    update = bool(request.config.getoption("--update-goldens"))

    def check(answer: httpx.Response, name: str, *, volatile: Mapping[str, str] = VOLATILE) -> None:
        compare(
            kept_form(answer, volatile), folder / f"{re.sub('[^a-zA-Z0-9]+', '-', name).strip('-')}.json", update=update
        )

    return check
