"""The hottest routes, from their headers to their answer: those that give a model, or bytes, and need no ``Request``.

Owns the middleware of such a route, said in one layer: ``Observe(Problem(Deadline(route)))``, made of the parts of
those modules. As layers, each with a ``send`` of its own, they would cost as much as the fan-out. That the client
left, the connection itself says (``server_protocol.py``). ``tests/shared/asgi/test_lean.py`` holds both ways to the
same answers.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from fastapi import FastAPI
from starlette.responses import Response

from shared.asgi.context import KEY, Fields, RequestContext
from shared.asgi.deadline import open_deadline
from shared.asgi.disconnect import CLIENT_LEFT
from shared.asgi.lean import LeanRoute
from shared.asgi.observe import Observer, with_trace
from shared.asgi.problem import answer_to
from shared.asgi.server_protocol import HotCycle, lines_of
from shared.clock import Clock
from shared.telemetry.logs import trace_id


class Front:
    """What the server asks before it asks the app."""

    def __init__(
        self,
        app: FastAPI,
        routes: Mapping[tuple[str, str], LeanRoute],
        observer: Observer,
        ceiling: timedelta,
        clock: Clock,
    ) -> None:
        self._app = app
        self._observer = observer
        self._ceiling = ceiling
        self._clock = clock
        self._hot = {
            (method.encode("ascii"), path.encode("ascii")): route
            for (method, path), route in routes.items()
            if route.is_hot and path.isascii() and (method == "GET" if route.body is None else method == "POST")
        }

    def find(self, method: bytes, target: bytes) -> LeanRoute | None:
        """Return the hot route: GET of one that takes no body, POST of one that does."""
        return self._hot.get((method, target))

    async def serve(self, route: LeanRoute, fields: Fields, cycle: HotCycle) -> None:
        """Answer one request of a hot route."""
        now = self._clock.now_s()
        context = self._observer.open(self._app.state, "GET" if route.body is None else "POST", fields, now)
        context.body = cycle.body
        ledger = context.ledger
        trace_id.set(ledger.origin.trace_id)  # for this task, which ends with the request
        open_deadline(context, self._ceiling, now)
        try:
            ledger.status, head, body = await self._answer(route, context)
            if not cycle.disconnected:
                cycle.answer(ledger.status, head, body)
        except asyncio.CancelledError:
            if not cycle.disconnected:
                raise
        finally:
            if cycle.disconnected:
                ledger.status = CLIENT_LEFT
            cycle.end()
            self._observer.close(context, route.path, self._clock.now_s())

    async def _answer(self, route: LeanRoute, context: RequestContext) -> tuple[int, bytes, bytes]:
        """Return status, header lines and body, whatever happens."""
        try:
            answer = await route.call(context, None)
            if isinstance(answer, Response):
                status, headers, body = answer.status_code, answer.raw_headers, bytes(answer.body)
            else:
                status, headers, body = route.said(context, answer)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets a problem and the log the cause
            problem = answer_to(error, {"path": route.path, KEY: context})
            status, headers, body = problem.status_code, problem.raw_headers, bytes(problem.body)
        return status, lines_of(with_trace(headers, context.ledger)), body
