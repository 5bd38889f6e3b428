"""Hot routes, dispatched ahead of FastAPI's router and called without its dependency solver.

Handlers stay plain typed functions declared on a FastAPI router, so OpenAPI and docs do not change; their dependencies
are resolved once, at start. What this cannot serve as FastAPI would stays on FastAPI's own route, and the log says so.
The middleware around both is the same, so errors, headers, tracing and cancellation are, too; ``front.py`` says the
same in one layer for the hottest.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final, NamedTuple, get_args, get_origin, get_type_hints

from fastapi import APIRouter, Request
from fastapi.params import Depends
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader, HTTPBearer
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
Call = Callable[[RequestContext, Request | None], Awaitable[Shape | BaseModel | Response]]


class UnservableError(Exception):
    """A handler that needs what only FastAPI's own route gives; the text says what."""


class LeanRoute:
    """A handler with its dependencies, written out as the one function that somebody would write by hand.

    ``call(context, request)`` calls each dependency once, then the handler, and returns the answer; ``request`` may be
    None for a route that does not need it.
    """

    def __init__(self, route: APIRoute) -> None:
        self.route = route
        self.path = route.path  # its template, which is its path
        self._lines = ["async def call(context, request):"]
        self._names: dict[str, Any] = {}
        self._values: dict[Callable[..., Any], str] = {request_context: "context"}
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
        self.screen = route if isinstance(route, ScreenRoute) else None
        if self.screen is not None:
            self._names["admit"] = self.screen.admit
            self._lines.append("admit(context)")
        self._lines.append(f"return {self._called(route.endpoint)}")
        # By Python itself, as dataclasses do it: a loop over steps would cost more than what it calls.
        exec(compile("\n    ".join(self._lines), f"<{self.path}>", "exec"), self._names)  # noqa: S102 - our own names only
        self.call: Call = self._names["call"]

    @property
    def is_hot(self) -> bool:
        """Whether it can be served without an ASGI request, and its answer sent without an ASGI response."""
        return self.is_direct and not self.needs_request

    def _called(self, function: Callable[..., Any]) -> str:
        """Return the expression of a call, with the values of what it asks for."""
        name = f"call_{len(self._names)}"
        self._names[name] = function
        if isinstance(function, WholeBody):  # it asks for a request only where the body has not come
            self.body = function
            return f"await {name}(context, request)"
        hints = get_type_hints(function, include_extras=True)
        parameters = inspect.signature(function).parameters.values()
        if any(one.kind is not one.POSITIONAL_OR_KEYWORD for one in parameters):
            raise UnservableError("it takes more than plain parameters")
        values = ", ".join([self._value(one.name, hints.get(one.name)) for one in parameters])
        return f"{'await ' if inspect.iscoroutinefunction(function) else ''}{name}({values})"

    def _value(self, name: str, hint: Any) -> str:
        """Return the variable that holds what a parameter asks for."""
        if hint is Request:
            self.needs_request = True
            return "request"
        dependency = _dependency(hint)
        if dependency is None:
            raise UnservableError(f"it takes {name!r} from the request")
        if dependency not in self._values:
            called = self._called(dependency)
            value = self._values[dependency] = f"value_{len(self._values)}"
            self._lines.append(f"{value} = {called}")
        return self._values[dependency]

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
    if not (isinstance(scheme, HTTPBearer | APIKeyHeader) and not scheme.auto_error):
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
