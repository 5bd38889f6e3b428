"""Node with its packages, and a real web BFF in a process of its own."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from bffs.web.backends import ALERTS_OF, ORDERS_OF, PROFILE
from shared.testing.issuer import Issuer
from shared.testing.sockets import SocketBackends
from tests.bffs.web import web as sample
from tests.node.toolchain import NoNodeError, Toolchain, find_node, install_packages

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 20.0

Page = Callable[[str], Awaitable[Any]]


@pytest.fixture(scope="session")
def node() -> Toolchain:
    """Node and what ``package-lock.json`` names. Missing: skipped with the reason; in CI, a failure."""
    try:
        toolchain = find_node()
        install_packages(toolchain)
    except NoNodeError as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    return toolchain


@pytest.fixture
def mode() -> str:
    """The BFF's mode: as deployed, where a module does not want another."""
    return "production"


@pytest.fixture
async def bff(backends: SocketBackends, issuer: Issuer, mode: str) -> AsyncIterator[str]:
    """The URL of ``python -m bffs.web`` over backends that are well; it ends cleanly when the test does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    urls = {f"FRONTAGE_{name.upper()}_URL": backends.open(name).url for name in ("users", "orders", "alerts")}
    backends.answers(PROFILE, sample.PROFILE)
    backends.answers(ORDERS_OF, [sample.ORDER])
    backends.answers(ALERTS_OF, [sample.ALERT])
    keys = backends.open_apart("issuer")
    keys.answers("GET /jwks", issuer.jwks())
    settings = {
        "LISTEN": listen, "ISSUER": issuer.name, "AUDIENCE": issuer.audience, "JWKS_URL": f"{keys.url}/jwks",
        "MODE": mode,
    }  # fmt: skip
    env = {**urls, **{f"FRONTAGE_{name}": value for name, value in settings.items()}}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bffs.web", cwd=ROOT, env=env, stdout=asyncio.subprocess.PIPE
    )
    try:
        await _ready(process, f"http://{listen}/health/ready")
        yield f"http://{listen}/web/graphql"
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        logged, _ = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 0, logged.decode()


async def _ready(process: asyncio.subprocess.Process, url: str) -> None:
    async with asyncio.timeout(READY_WITHIN_S), httpx.AsyncClient() as client:
        while process.returncode is None:
            try:
                if (await client.get(url)).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
    pytest.fail(f"the BFF ended with {process.returncode} before it was ready")


async def run_script(node: Toolchain, name: str, given: object) -> Any:
    """Run a script of this folder: JSON in, JSON out."""
    process = await asyncio.create_subprocess_exec(
        node.node,
        str(Path(__file__).with_name(name)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(json.dumps(given).encode()), 30)
    assert process.returncode == 0, err.decode()
    return json.loads(out)


@pytest.fixture
def page(node: Toolchain, bff: str, issuer: Issuer) -> Page:
    """Return a function that runs one query in Apollo Client and says what a page would see."""

    async def show(query: str) -> Any:
        given = {"url": bff, "token": issuer.token(scope="graphql:explore"), "query": query}
        return await run_script(node, "client.mjs", given)

    return show
