"""Hot routes, dispatched ahead of FastAPI's router and called without its dependency solver.

Handlers stay plain typed functions declared on a FastAPI router, so OpenAPI and docs do not change; their dependencies
are resolved once, at start. What this cannot serve as FastAPI would stays on FastAPI's own route, and the log says so.
The middleware around both is the same, so errors, headers, tracing and cancellation are, too; ``front.py`` says the
same in one layer for the hottest.
"""

import inspect
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Annotated, Any, Final, NamedTuple, get_args, get_origin, get_type_hints

from fastapi import APIRouter, Request
from fastapi.params import Depends
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import BaseModel
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.asgi.body import WholeBody
from shared.asgi.context import RequestContext, context_of, request_context
from shared.asgi.screen_route import Headers, ScreenRoute
from shared.asgi.written import Written
from shared.shape import Shape, encode
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

JSON_HEADER: Final = (b"content-type", b"application/json")
# Where the values that every request brings stand; the values of dependencies follow.
CONTEXT: Final = 0
REQUEST: Final = 1


class UnservableError(Exception):
    """A handler that needs what only FastAPI's own route gives; the text says what."""


class Step(NamedTuple):
    """One dependency: how to call it, and which earlier values it takes, in the order of its parameters."""

    call: Callable[..., Any]
    pick: Callable[[list[Any]], tuple[Any, ...]]
    is_async: bool


class LeanRoute:
    """A handler whose dependencies are laid out in the order of their calls."""

    def __init__(self, route: APIRoute) -> None:
        self.route = route
        self.path = route.path  # its template, which is its path
        self._steps: list[Step] = []
        self._places: dict[Callable[..., Any], int] = {request_context: CONTEXT}
        self.needs_request = False
        self.body: WholeBody | None = None
        for dependency in route.dependencies:
            _require_declaration_only(dependency)
        if not inspect.iscoroutinefunction(route.endpoint):
            raise UnservableError("it is not async")
        result = get_type_hints(route.endpoint).get("return")
        self.is_direct = inspect.isclass(result) and issubclass(result, Shape | BaseModel | Written)
        if not (inspect.isclass(result) and issubclass(result, Shape | BaseModel | Response)):
            raise UnservableError("it returns neither a model nor a response")
        self._handler = self._step(route.endpoint)
        self.screen = route if isinstance(route, ScreenRoute) else None

    @property
    def is_hot(self) -> bool:
        """Whether it can be served without an ASGI request, and its answer sent without an ASGI response."""
        return self.is_direct and not self.needs_request

    def _step(self, function: Callable[..., Any]) -> Step:
        hints = get_type_hints(function, include_extras=True)
        parameters = inspect.signature(function).parameters.values()
        if any(one.kind is not one.POSITIONAL_OR_KEYWORD for one in parameters):
            raise UnservableError("it takes more than plain parameters")
        places = [self._place(one.name, hints.get(one.name)) for one in parameters]
        return Step(function, _picker(places), inspect.iscoroutinefunction(function))

    def _place(self, name: str, hint: Any) -> int:
        if hint is Request:
            self.needs_request = True
            return REQUEST
        dependency = _dependency(hint)
        if dependency is None:
            raise UnservableError(f"it takes {name!r} from the request")
        if dependency not in self._places:
            self._steps.append(self._step_of(dependency))
            self._places[dependency] = len(self._steps) + REQUEST
        return self._places[dependency]

    def _step_of(self, dependency: Callable[..., Any]) -> Step:
        if isinstance(dependency, WholeBody):  # it asks for a request only where the body has not come
            self.body = dependency
            return Step(dependency, _picker([CONTEXT, REQUEST]), is_async=True)
        return self._step(dependency)

    async def call(self, context: RequestContext, request: Request | None) -> Shape | BaseModel | Response:
        """Call the dependencies and the handler; ``request`` may be None for a route that does not need it."""
        if self.screen is not None:
            self.screen.admit(context)
        values: list[Any] = [context, request]
        for call, pick, is_async in self._steps:
            value = call(*pick(values))
            values.append(await value if is_async else value)
        handler, pick, _ = self._handler
        answer: Shape | BaseModel | Response = await handler(*pick(values))
        return answer

    def said(self, context: RequestContext, answer: Shape | BaseModel) -> tuple[int, Headers, bytes]:
        """Return a model as status, headers and body."""
        body = encoded(answer)
        if self.screen is None:
            return 200, [(b"content-length", b"%d" % len(body)), JSON_HEADER], body
        return self.screen.finish(context, body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the FastAPI route would."""
        scope["route"] = self.route
        answer = await self.call(context_of(scope), Request(scope, receive))
        if not isinstance(answer, Response):
            status, headers, body = self.said(context_of(scope), answer)
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        else:
            await answer(scope, receive, send)


def _picker(places: list[int]) -> Callable[[list[Any]], tuple[Any, ...]]:
    """Return what takes the values at these places."""
    if len(places) > 1:
        return itemgetter(*places)  # in C; of one place alone it would give no tuple
    return lambda values: tuple(values[place] for place in places)


def encoded(answer: Shape | BaseModel) -> bytes:
    """Return the model as the JSON that FastAPI would send."""
    if isinstance(answer, Shape):
        return encode(answer)
    return answer.__pydantic_serializer__.to_json(answer, by_alias=True)


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
