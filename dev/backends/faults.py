"""Faults on demand: how a sample backend is told to misbehave, and how it does.

Owns ``/__fault`` and a middleware that touches ``/api/`` alone, so that health checks and controls stay honest.
"""

import asyncio
import re
from collections.abc import Callable
from http import HTTPStatus
from random import Random
from typing import Annotated, Final, Literal

from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SEED: Final = 1
HUGE: Final = 10 * 1024 * 1024
A_VALUE: Final = re.compile(rb':("(?:[^"\\]|\\.)*"|-?[\d.]+)')


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")


# What becomes of a good body. Each is wrong in one way only: a reader must notice that one thing.
DAMAGE: Final[dict[str, Callable[[bytes], Response]]] = {
    "html": lambda _: Response("<!doctype html><title>It works</title>", media_type="text/html"),
    "truncated": lambda body: _json(body[: len(body) // 2]),
    "nan": lambda body: _json(A_VALUE.sub(b":NaN", body, count=1) if A_VALUE.search(body) else b"[NaN]"),
    "huge": lambda body: _json(body + b" " * HUGE),  # still JSON, only too much of it
    "redirect": lambda _: RedirectResponse("http://elsewhere.invalid/", HTTPStatus.FOUND),
    "empty": lambda _: _json(b""),
}


def _kind(value: object) -> object:
    """``true`` is the commonest kind: a page of HTML where JSON should be."""
    if isinstance(value, bool):
        return "html" if value else None
    return value


Damage = Annotated[Literal["html", "truncated", "nan", "huge", "redirect", "empty"] | None, BeforeValidator(_kind)]


class Fault(BaseModel):
    """What goes wrong, for which share of the calls. Latency comes first, then one of silent, status, invalid."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    latency_ms: Annotated[int, Field(ge=0, le=600_000)] | None = None
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    retry_after_s: Annotated[int, Field(ge=0)] | None = None
    silent: bool = False
    invalid: Damage = None
    probability: Annotated[float, Field(ge=0, le=1)] = 1.0


class Faults:
    """The fault that holds now. Which calls it hits is drawn from a seed, from the moment it is set."""

    def __init__(self) -> None:
        self.current = Fault()
        self._random = Random(SEED)

    def set(self, fault: Fault) -> None:
        """Let ``fault`` hold from the next call on."""
        self.current = fault
        self._random = Random(SEED)

    def draw(self) -> Fault | None:
        """Return the fault if it hits this call."""
        return self.current if self._random.random() < self.current.probability else None


class FaultMiddleware:
    """Misbehaves as told."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the fault that hits this call, or let the app answer."""
        fault = self._faults.draw() if scope["type"] == "http" and scope["path"].startswith("/api/") else None
        if fault is None:
            await self._app(scope, receive, send)
            return
        if fault.latency_ms:
            await asyncio.sleep(fault.latency_ms / 1000)
        if fault.silent:
            await asyncio.Event().wait()  # until the client leaves: then this request is cancelled
        if fault.status is not None:
            await _problem(fault.status, fault.retry_after_s)(scope, receive, send)
        elif fault.invalid is not None:
            body = await _body_of(self._app, scope, receive)
            await DAMAGE[fault.invalid](body)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def fault_router(faults: Faults) -> APIRouter:
    """Return the controls: PUT replaces the whole fault, DELETE clears it, GET says what holds."""
    router = APIRouter(include_in_schema=False)

    @router.get("/__fault")
    async def read_fault() -> Fault:
        """Say what holds."""
        return faults.current

    @router.put("/__fault")
    async def set_fault(fault: Fault) -> Fault:
        """Misbehave from now on."""
        faults.set(fault)
        return fault

    @router.delete("/__fault", status_code=HTTPStatus.NO_CONTENT)
    async def clear_fault() -> None:
        """Behave again."""
        faults.set(Fault())

    return router


def _problem(status: int, retry_after_s: int | None) -> Response:
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Fault"
    body = {"type": "about:blank", "title": title, "status": status, "detail": "A fault was asked for."}
    headers = {} if retry_after_s is None else {"retry-after": str(retry_after_s)}
    return JSONResponse(body, status, headers, "application/problem+json")


async def _body_of(app: ASGIApp, scope: Scope, receive: Receive) -> bytes:
    body = bytearray()

    async def collect(message: Message) -> None:
        if message["type"] == "http.response.body":
            body.extend(message.get("body", b""))

    await app(scope, receive, collect)
    return bytes(body)
