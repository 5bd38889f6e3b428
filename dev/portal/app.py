"""The portal, wired: pages made at each visit, static files, and tokens from the identity provider."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel, StringConstraints
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from dev.portal.graph import graph_reference
from dev.portal.graphiql import GraphiqlFiles, graphiql_page
from dev.portal.home import home
from dev.portal.reference import reference
from dev.portal.settings import PortalSettings
from dev.portal.tree import Bff, read_tree
from shared.asgi.defaults import install_defaults
from shared.errors import ProblemCode, ProblemError

STATIC: Final = Path(__file__).parent / "static"
# Everything shown came from this tree; nothing runs but our own files. GraphiQL writes styles of its own.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
ANSWER_WITHIN_S: Final = 5.0

router = APIRouter(prefix="/portal", include_in_schema=False)


class TokenFor(BaseModel):
    """Whose token is wanted."""

    user: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


def create_app(settings: PortalSettings) -> FastAPI:
    """Return the app; it keeps nothing."""

    @asynccontextmanager
    async def lifespan(running: FastAPI) -> AsyncIterator[None]:
        async with httpx.AsyncClient(timeout=ANSWER_WITHIN_S, trust_env=False) as client:
            running.state.client = client
            running.state.files = GraphiqlFiles()
            yield

    app = FastAPI(title="portal", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.settings = settings
    app.include_router(router)
    app.mount("/portal/static", StaticFiles(directory=STATIC))
    install_defaults(app, settings, service="portal")
    return app


@router.get("/")
@router.get("")
async def get_home(request: Request) -> Response:
    """The surfaces, and every route."""
    bffs, routes = read_tree(_settings(request).tree)
    return _html(home(bffs, routes, **_place(request)))


@router.get("/graphiql/{name}")
async def get_graphiql_file(request: Request, name: str) -> Response:
    """One of GraphiQL's own files."""
    files: GraphiqlFiles = request.app.state.files
    file = files.file(name)
    if file is None:
        raise ProblemError(ProblemCode.NOT_FOUND)
    return FileResponse(file)


@router.post("/token")
async def post_token(request: Request, wanted: TokenFor) -> dict[str, Any]:
    """A token for anybody, from the sample identity provider."""
    client: httpx.AsyncClient = request.app.state.client
    try:
        answer = await client.post(f"{_settings(request).identity_url}/dev/tokens", json={"user": wanted.user})
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise ProblemError(ProblemCode.BACKEND_UNREACHABLE, "The identity provider gave no token.") from error
    given: dict[str, Any] = answer.json()
    return {"token": given["access_token"], "expiresIn": given["expires_in"]}


@router.get("/{name}")
async def get_reference(request: Request, name: str) -> Response:
    """The reference of one surface."""
    bff, bffs = _bff(request, name)
    shown = reference if bff.rest is not None else graph_reference
    return _html(shown(bff, bffs, **_place(request)))


@router.get("/{name}/graphiql")
async def get_graphiql(request: Request, name: str) -> Response:
    """GraphiQL of one surface."""
    bff, bffs = _bff(request, name)
    if bff.graph is None:
        raise ProblemError(ProblemCode.NOT_FOUND)
    path = next((one.match for one in bff.routes if "POST" in one.methods), f"/{name}/graphql")
    traces = _settings(request).traces_url
    return _html(graphiql_page(bff, bffs, request.app.state.files, path=path, traces=traces))


def _bff(request: Request, name: str) -> tuple[Bff, tuple[Bff, ...]]:
    bffs, _ = read_tree(_settings(request).tree)
    found = next((one for one in bffs if one.name == name), None)
    if found is None:
        raise ProblemError(ProblemCode.NOT_FOUND)
    return found, bffs


def _settings(request: Request) -> PortalSettings:
    settings: PortalSettings = request.app.state.settings
    return settings


def _place(request: Request) -> dict[str, str]:
    settings = _settings(request)
    return {"ca": settings.ca, "traces": settings.traces_url}


def _html(text: str) -> HTMLResponse:
    return HTMLResponse(text, headers={"content-security-policy": POLICY, "cache-control": "no-store"})
