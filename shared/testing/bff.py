"""A BFF as its clients meet it: the real app under the real server protocol on a real socket, in the test's process.

async with open_bff(create_app, MobileSettings, backends, issuer) as bff:
    answer = await bff.get("/mobile/v1/dashboard", user="ada")

Owns the wiring of one app to scripted backends and a made-up issuer. What both do is theirs.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, TypeVar

import httpx
from fastapi import FastAPI
from uvicorn.server import ServerState

from shared.asgi.serve import server_config
from shared.asgi.server_protocol import ServerProtocol
from shared.clock import Clock, LoopClock
from shared.settings import BffSettings, ServiceSettings
from shared.testing.api_keys import NOWHERE, KeyRing
from shared.testing.clock import ManualClock
from shared.testing.issuer import Issuer
from shared.testing.sockets import SocketBackends

S = TypeVar("S", bound=BffSettings)
CreateApp = Callable[[S, Clock | None], FastAPI]

KEYS: Final = "GET /jwks"
ISSUER: Final = "issuer"


class Bff:
    """A running BFF and a client of it."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient, issuer: Issuer, clock: ManualClock | None) -> None:
        self.app = app
        self.client = client
        self.issuer = issuer
        self._clock = clock

    async def get(self, path: str, *, user: str | None = "u-1", **options: Any) -> httpx.Response:
        """Ask: see ``request``."""
        return await self.request("GET", path, user=user, **options)

    async def post(self, path: str, *, user: str | None = "u-1", **options: Any) -> httpx.Response:
        """Send: see ``request``."""
        return await self.request("POST", path, user=user, **options)

    async def request(
        self, method: str, path: str, *, user: str | None = "u-1", headers: dict[str, str] | None = None, **options: Any
    ) -> httpx.Response:
        """Send one request signed in as ``user`` (None: not at all); ``options`` are httpx's.

        On a clock turned by hand, the answer's time comes as soon as nothing else can happen.
        """
        headers = {**(self.issuer.signed_in(user) if user else {}), **(headers or {})}
        asking = self.client.request(method, path, headers=headers, **options)
        return await (self._clock.run(asking) if self._clock else asking)


@asynccontextmanager
async def open_bff(
    create_app: CreateApp[S], settings: type[S], backends: SocketBackends, issuer: Issuer,
    clock: ManualClock | None = None, *, api_keys: KeyRing | None = None, **changes: Any,
) -> AsyncIterator[Bff]:  # fmt: skip
    """Run a BFF over ``backends``: one is opened for each of its settings that is called ``<name>_url``.

    ``api_keys`` are those that count, for a BFF that takes them (``accept="api_key"``). ``changes`` are settings
    otherwise. Whatever the app's start raises, this raises.
    """
    own = settings.model_fields.keys() - BffSettings.model_fields.keys()
    names = [found[1] for field in sorted(own) if (found := re.fullmatch(r"(\w+)_url", field))]
    urls = {f"{name}_url": backends.open(name).url for name in names}
    keys = backends.open_apart(ISSUER)
    keys.answers(KEYS, issuer.jwks())
    good = {
        "listen": "127.0.0.1:0", "issuer": issuer.name, "audience": issuer.audience, "jwks_url": f"{keys.url}/jwks",
        "log_level": "error",
    }  # fmt: skip
    if api_keys is not None:
        good["keys_url"] = NOWHERE
    made = settings(**{**good, **urls, **changes})
    app = create_app(made, clock)
    if api_keys is not None:
        app.state.key_book = api_keys.book(clock or LoopClock())
    # Plain HTTP on loopback: loading the system's authorities would be most of what a test costs.
    async with served(app, made) as url, httpx.AsyncClient(base_url=url, verify=False) as client:  # noqa: S501
        yield Bff(app, client, issuer, clock)


@asynccontextmanager
async def served(app: FastAPI, settings: ServiceSettings) -> AsyncIterator[str]:
    """Serve an app as ``shared.asgi.serve`` does, on a free port and without its signals; give its URL."""
    config = server_config(app, settings)
    config.load()
    state = ServerState()
    state.default_headers = list(config.encoded_headers)
    async with app.router.lifespan_context(app):
        server = await asyncio.get_running_loop().create_server(
            partial(ServerProtocol, config=config, server_state=state, app_state={}), "127.0.0.1", 0, backlog=1024
        )
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            for connection in list(state.connections):
                connection.shutdown()
            await server.wait_closed()
            await asyncio.gather(*state.tasks, return_exceptions=True)
