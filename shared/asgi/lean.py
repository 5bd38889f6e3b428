"""Hot routes, dispatched ahead of FastAPI's router and called without its dependency solver.

Handlers stay plain typed functions declared on a FastAPI router, so OpenAPI and docs do not change; their dependencies
are resolved once, at start. What this cannot serve as FastAPI would stays on FastAPI's own route, and the log says so.
The middleware around both is the same, so errors, headers, tracing and cancellation are, too; ``front.py`` says the
same in one layer for the hottest.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Final, NamedTuple, get_args, get_origin, get_type_hints

from fastapi import APIRouter, Request
from fastapi.params import Depends
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import BaseModel
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.telemetry.logs import get_logger

log = get_logger(__name__)

JSON_HEADER: Final = (b"content-type", b"application/json")


class UnservableError(Exception):
    """A handler that needs what only FastAPI's own route gives; the text says what."""


class Step(NamedTuple):
    """One dependency: how to call it, from which earlier values, and where its own value goes."""

    call: Callable[..., Any]
    sources: tuple[tuple[str, int], ...]
    is_async: bool


class LeanRoute:
    """A handler whose dependencies are laid out in the order of their calls; value 0 is the request."""

    def __init__(self, route: APIRoute) -> None:
        self.route = route
        self._steps: list[Step] = []
        self._places: dict[Callable[..., Any], int] = {}
        for dependency in route.dependencies:
            _require_declaration_only(dependency)
        if not inspect.iscoroutinefunction(route.endpoint):
            raise UnservableError("it is not async")
        result = get_type_hints(route.endpoint).get("return")
        self.gives_model = inspect.isclass(result) and issubclass(result, BaseModel)
        if not (inspect.isclass(result) and issubclass(result, BaseModel | Response)):
            raise UnservableError("it returns neither a model nor a response")
        self._handler = Step(route.endpoint, tuple(self._sources(route.endpoint)), is_async=True)

    def _sources(self, function: Callable[..., Any]) -> Iterator[tuple[str, int]]:
        for name, hint in get_type_hints(function, include_extras=True).items():
            if name == "return":
                continue
            if hint is Request:
                yield name, 0
            elif (dependency := _dependency(hint)) is not None:
                yield name, self._place(dependency)
            else:
                raise UnservableError(f"it takes {name!r} from the request")

    def _place(self, dependency: Callable[..., Any]) -> int:
        if dependency not in self._places:
            sources = tuple(self._sources(dependency))
            self._steps.append(Step(dependency, sources, inspect.iscoroutinefunction(dependency)))
            self._places[dependency] = len(self._steps)
        return self._places[dependency]

    async def call(self, scope: Scope, receive: Receive) -> BaseModel | Response:
        """Call the dependencies and the handler."""
        scope["route"] = self.route
        values: list[Any] = [Request(scope, receive)]
        for call, sources, is_async in self._steps:
            value = call(**{name: values[place] for name, place in sources})
            values.append(await value if is_async else value)
        call, sources, _ = self._handler
        answer: BaseModel | Response = await call(**{name: values[place] for name, place in sources})
        return answer

    async def model(self, scope: Scope, receive: Receive) -> BaseModel:
        """Call a handler that ``gives_model``."""
        answer = await self.call(scope, receive)
        assert isinstance(answer, BaseModel)  # noqa: S101 - by its own annotation
        return answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the FastAPI route would."""
        answer = await self.call(scope, receive)
        if isinstance(answer, BaseModel):
            body = encoded(answer)
            await send({"type": "http.response.start", "status": 200, "headers": headers_of(body)})
            await send({"type": "http.response.body", "body": body})
        else:
            await answer(scope, receive, send)


def encoded(answer: BaseModel) -> bytes:
    """Return the model as the JSON that FastAPI would send."""
    return answer.__pydantic_serializer__.to_json(answer, by_alias=True)


def headers_of(body: bytes) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer in JSON."""
    return [(b"content-length", b"%d" % len(body)), JSON_HEADER]


def _dependency(hint: Any) -> Callable[..., Any] | None:
    if get_origin(hint) is not Annotated:
        return None
    found = [one for one in get_args(hint)[1:] if isinstance(one, Depends)]
    return found[0].dependency if found else None


def _require_declaration_only(dependency: Depends) -> None:
    """Let pass what only declares a security scheme in OpenAPI; it never judges a request."""
    scheme = dependency.dependency
    if not (isinstance(scheme, HTTPBearer) and not scheme.auto_error):
        raise UnservableError("its router has dependencies")


class LeanRoutes(NamedTuple):
    """The routes that could be laid out, by method and path; and those that could not, with the reason."""

    laid: dict[tuple[str, str], LeanRoute]
    left: dict[str, str]

    def announce(self) -> None:
        """Log which routes stay on FastAPI's own."""
        for path, reason in self.left.items():
            log.info("route_not_lean", route=path, reason=reason)


def lean_routes(router: APIRouter) -> LeanRoutes:
    """Lay out every route of the router that can be."""
    routes = LeanRoutes({}, {})
    for route in (one for one in router.routes if isinstance(one, APIRoute)):
        try:
            if "{" in route.path:
                raise UnservableError("its path has parameters")  # noqa: TRY301 - one place reports every cause
            routes.laid.update({(method, route.path): LeanRoute(route) for method in route.methods or ()})
        except UnservableError as reason:
            routes.left[route.path] = str(reason)
    return routes


class LeanMiddleware:
    """The innermost layer: a dict look-up, and past it FastAPI."""

    def __init__(self, app: ASGIApp, routes: Mapping[tuple[str, str], LeanRoute]) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a hot route, or pass the request on."""
        route = self._routes.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        await (route or self._app)(scope, receive, send)
