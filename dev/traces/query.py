"""Jaeger's HTTP query API over the store, and beside it what our own page reads.

``/api`` is Jaeger's: shape, parameters, errors. ``/view`` is ours: the same traces as waterfalls, and as one line each.
"""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from dev.traces.jaeger import Json, answer, refusal, trace_json
from dev.traces.search import BadQuery, TraceQuery, find, operations, read_query, services
from dev.traces.span import StoredTrace
from dev.traces.store import Store
from dev.traces.view import Summaries, view

MAX_ID_DIGITS = 32


def query_routes(store: Store) -> list[Route]:
    """Return the routes."""
    summaries = Summaries(store)

    async def list_services(_request: Request) -> JSONResponse:
        return JSONResponse(answer(await run_in_threadpool(services, store)))

    async def list_operations(request: Request) -> JSONResponse:
        return JSONResponse(answer(await run_in_threadpool(operations, store, request.path_params["service"])))

    async def list_traces(request: Request) -> JSONResponse:
        query = _query(request)
        return JSONResponse(answer(await run_in_threadpool(_traces, store, query)))

    async def get_trace(request: Request) -> JSONResponse:
        return JSONResponse(answer([trace_json(await _stored(store, request))]))

    async def list_summaries(request: Request) -> JSONResponse:
        query = _query(request)
        return JSONResponse(await run_in_threadpool(summaries.newest, query))

    async def get_view(request: Request) -> JSONResponse:
        return JSONResponse(await run_in_threadpool(view, await _stored(store, request)))

    return [
        Route("/api/services", list_services),
        Route("/api/services/{service}/operations", list_operations),
        Route("/api/traces", list_traces),
        Route("/api/traces/{trace_id}", get_trace),
        Route("/view/traces", list_summaries),
        Route("/view/traces/{trace_id}", get_view),
    ]


def _query(request: Request) -> TraceQuery:
    try:
        return read_query(request.query_params)
    except BadQuery as error:
        raise HTTPException(400, str(error)) from error


def _traces(store: Store, query: TraceQuery) -> list[Json]:
    found = (store.get(trace_id) for trace_id, _ in find(store, query))
    return [trace_json(trace) for trace in found if trace is not None]


async def _stored(store: Store, request: Request) -> StoredTrace:
    asked = request.path_params["trace_id"].lower()
    if len(asked) > MAX_ID_DIGITS or not all(one in "0123456789abcdef" for one in asked):
        raise HTTPException(400, f"a trace id is 1 to {MAX_ID_DIGITS} hexadecimal digits, not {asked!r:.60}")
    # Jaeger's own pages leave leading zeros away.
    trace = await run_in_threadpool(store.get, asked.zfill(MAX_ID_DIGITS))
    if trace is None:
        raise HTTPException(404, "trace not found")
    return trace


async def as_refusal(_request: Request, error: Exception) -> JSONResponse:
    """Say any error in Jaeger's shape."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail: Any = error.detail if isinstance(error, HTTPException) else "internal error"
    return JSONResponse(refusal(status, detail), status, getattr(error, "headers", None))
