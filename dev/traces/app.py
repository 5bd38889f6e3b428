"""The query side as one app: Jaeger's API, the page, the operator's routes."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from dev.traces.counters import Counters
from dev.traces.query import as_refusal, query_routes
from dev.traces.search import size
from dev.traces.site import SafeHeaders, operator_routes, page_routes
from dev.traces.store import Store


def create_query_app(store: Store, counters: Counters, version: str) -> Starlette:
    """Wire the app that listens where people and tools ask."""

    def scrape() -> str:
        return counters.scrape(*size(store))

    return Starlette(
        routes=[*query_routes(store), *page_routes(), *operator_routes(version, scrape)],
        middleware=[Middleware(SafeHeaders)],
        exception_handlers={HTTPException: as_refusal, Exception: as_refusal},
    )
