"""The app as the server sees it: hot routes that give a model are answered here, everything else by the FastAPI app.

Owns the middleware of such a route, said in one layer: ``Observe(Problem(Disconnect(Deadline(route))))``, made of the
parts of those modules. As layers, each with a ``send`` of its own, they would cost as much as the fan-out.
``tests/shared/asgi/test_lean.py`` holds both to the same answers.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from fastapi import FastAPI
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from shared.asgi.deadline import open_deadline
from shared.asgi.disconnect import Watch
from shared.asgi.lean import LeanRoute, encoded, headers_of
from shared.asgi.observe import Observer, with_trace
from shared.asgi.problem import answer_to
from shared.asgi.server_protocol import answer_whole
from shared.clock import Clock
from shared.telemetry.ledger import Ledger
from shared.telemetry.logs import trace_id


class Front:
    """An ASGI app before the app."""

    def __init__(
        self,
        app: FastAPI,
        routes: Mapping[tuple[str, str], LeanRoute],
        observer: Observer,
        ceiling: timedelta,
        clock: Clock,
    ) -> None:
        self._app = app
        self._routes = {place: route for place, route in routes.items() if route.gives_model}
        self._observer = observer
        self._ceiling = ceiling
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a hot route, or pass the request on."""
        route = self._routes.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if route is None:
            await self._app(scope, receive, send)
            return
        scope["app"] = self._app
        now = self._clock.now_s()
        ledger = self._observer.open(scope, now)
        token = trace_id.set(ledger.origin.trace_id)
        open_deadline(scope, self._ceiling, now)
        watch = Watch(scope, receive)
        watch.begin()
        try:
            await _answer(route, scope, watch, send, ledger)
        except asyncio.CancelledError:
            if not watch.took_the_blame():
                raise
        finally:
            watch.end(ledger)
            self._observer.close(scope, ledger, self._clock.now_s())
            trace_id.reset(token)


async def _answer(route: LeanRoute, scope: Scope, watch: Watch, send: Send, ledger: Ledger) -> None:
    try:
        body = encoded(await route.model(scope, watch.receive))
        status, headers = 200, headers_of(body)
    except ClientDisconnect:
        return  # it left while it was still sending
    except Exception as error:  # noqa: BLE001 - whatever it is, the client gets a problem and the log the cause
        problem = answer_to(error, scope)
        status, body, headers = problem.status_code, bytes(problem.body), problem.raw_headers
    ledger.status = status
    watch.stop()  # a server reports its own end of the answer as a disconnect, too
    await answer_whole(scope, send, status, with_trace(headers, ledger), body)
