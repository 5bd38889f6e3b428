"""Lean dispatch and FastAPI's own: the same answers to the same requests."""

from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.security import HTTPBearer
from pydantic import BaseModel, Field
from starlette.responses import PlainTextResponse, Response

from shared.asgi.body import WholeBody
from shared.asgi.context import Context
from shared.asgi.defaults import install_defaults
from shared.asgi.lean import lean_routes
from shared.asgi.written import Written
from shared.errors import BackendFaulted, ProblemCode, ProblemError
from shared.settings import ServiceSettings
from shared.testing.clock import ManualClock
from tests.shared.asgi.service import running


class Answer(BaseModel):
    shown_name: str = Field(alias="shownName", serialization_alias="shownName")
    seen: list[str]


calls: list[str] = []


async def caller(context: Context) -> str:
    """Counted, so that a dependency asked for twice is called once."""
    calls.append("caller")
    if (name := context.header(b"x-caller")) is None:
        raise ProblemError(ProblemCode.UNAUTHENTICATED)
    return name


Caller = Annotated[str, Depends(caller)]


def greeting(context: Context, who: Caller) -> str:
    return f"{context.ledger.method} {who}"


Greeting = Annotated[str, Depends(greeting)]


def router() -> APIRouter:  # noqa: C901 - one handler a case
    made = APIRouter(prefix="/t", dependencies=[Depends(HTTPBearer(auto_error=False))])

    @made.get("/model")
    async def model(context: Context, who: Caller, greeted: Greeting) -> Answer:
        return Answer(shownName=who, seen=[greeted, str(context.priority), "λ 🙂"])

    @made.get("/request")
    async def request(request: Request, who: Caller) -> Answer:
        return Answer(shownName=who, seen=[request.url.path])

    @made.get("/degraded")
    async def degraded(context: Context) -> Answer:
        context.ledger.degraded = "offers:timeout:none"
        return Answer(shownName="", seen=[])

    @made.post("/response")
    async def response(request: Request) -> Response:
        return PlainTextResponse(await request.body(), 201, {"x-own": "1"})

    @made.post("/body")
    async def body(who: Caller, raw: Annotated[bytes, Depends(WholeBody(10))]) -> Written:
        return Written(who.encode() + raw, 202, b"text/plain")

    @made.get("/problem")
    async def problem() -> Answer:
        raise ProblemError(ProblemCode.NOT_FOUND, "No such thing.")

    @made.get("/call")
    async def call() -> Answer:
        raise BackendFaulted("orders", 503)

    @made.get("/bug")
    async def bug() -> Answer:
        raise RuntimeError("a text that nobody may see")

    @made.get("/items/{item}")
    async def item(item: int) -> Answer:
        return Answer(shownName=str(item), seen=[])

    @made.get("/query")
    async def query(q: str) -> Answer:
        return Answer(shownName=q, seen=[])

    @made.get("/sync")
    def sync() -> Answer:
        return Answer(shownName="sync", seen=[])

    return made


def app_of(*, lean: bool) -> FastAPI:
    app = FastAPI()
    routes = router()
    app.include_router(routes)
    settings = ServiceSettings(listen="127.0.0.1:1")
    laid = lean_routes(routes).laid if lean else None
    install_defaults(app, settings, service="t", lean=laid, clock=ManualClock())
    return app


REQUESTS = {
    "a model": ("GET", "/t/model", {"x-caller": "Ada"}, b""),
    "a model, asked for with a query": ("GET", "/t/model?a=b", {"x-caller": "Ada"}, b""),
    "a model, asked for with a body": ("GET", "/t/model", {"x-caller": "Ada"}, b"body"),
    "a header of another priority": ("GET", "/t/model", {"x-caller": "Ada", "x-priority": "prefetch"}, b""),
    "the head of a model": ("HEAD", "/t/model", {"x-caller": "Ada"}, b""),
    "a handler of the whole request": ("GET", "/t/request", {"x-caller": "Ada"}, b""),
    "an answer with gaps": ("GET", "/t/degraded", {}, b""),
    "a dependency that refuses": ("GET", "/t/model", {}, b""),
    "a response of its own": ("POST", "/t/response", {}, b"body"),
    "a body": ("POST", "/t/body", {"x-caller": "Ada"}, b"body"),
    "no body": ("POST", "/t/body", {"x-caller": "Ada"}, b""),
    "a body too large": ("POST", "/t/body", {"x-caller": "Ada"}, b"x" * 11),
    "a body of nobody": ("POST", "/t/body", {}, b"x" * 11),
    "a problem": ("GET", "/t/problem", {}, b""),
    "a failed call": ("GET", "/t/call", {}, b""),
    "a bug": ("GET", "/t/bug", {}, b""),
    "a path parameter": ("GET", "/t/items/7", {}, b""),
    "a wrong path parameter": ("GET", "/t/items/x", {}, b""),
    "a query parameter": ("GET", "/t/query?q=1", {}, b""),
    "a handler that is not async": ("GET", "/t/sync", {}, b""),
    "another method": ("DELETE", "/t/model", {}, b""),
    "an unknown path": ("GET", "/t/none", {}, b""),
}


@pytest.mark.parametrize("case", REQUESTS)
async def test_all_paths_answer_alike(case: str) -> None:
    """Status, headers and body are the same: by FastAPI's route, by the lean one, and on the server's short way."""
    method, path, headers, body = REQUESTS[case]
    headers |= {"traceparent": f"00-{'a' * 32}-{'b' * 16}-00"}

    async def ask(client: httpx.AsyncClient) -> tuple[int, list[tuple[str, str]], bytes]:
        answer = await client.request(method, path, headers=headers, content=body)
        kept = [one for one in answer.headers.multi_items() if one[0] not in {"date", "connection"}]
        return answer.status_code, sorted(kept), answer.content

    answers = []
    for app in (app_of(lean=False), app_of(lean=True)):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
            answers.append(await ask(client))
    async with running(app_of(lean=True)) as url, httpx.AsyncClient(base_url=url) as client:
        answers += [await ask(client), await ask(client)]  # the connection is of use afterwards

    assert answers == [answers[0]] * 4


async def test_a_dependency_is_called_once() -> None:
    """Asked for by the handler and by another dependency, it still runs once a request."""
    calls.clear()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app_of(lean=True)), base_url="http://t") as client:
        await client.get("/t/model", headers={"x-caller": "Ada"})

    assert calls == ["caller"]


def test_what_cannot_be_served_is_left_with_a_reason() -> None:
    """Parameters of the request and handlers that are not async stay on FastAPI's own route."""
    routes = lean_routes(router())

    assert routes.left == {
        "/t/items/{item}": "its path has parameters",
        "/t/query": "it takes 'q' from the request",
        "/t/sync": "it is not async",
    }
    assert ("GET", "/t/model") in routes.laid


def test_a_dependency_of_the_router_that_judges_is_not_skipped() -> None:
    """Only what merely declares a security scheme may be left out."""
    guarded = APIRouter(dependencies=[Depends(caller)])

    @guarded.get("/x")
    async def x() -> Answer:
        return Answer(shownName="", seen=[])

    assert lean_routes(guarded).left == {"/x": "its router has dependencies"}
