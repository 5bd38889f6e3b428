"""The schema: its root, its naming, and what clients may learn from an error."""

from typing import Any

import strawberry
from graphql import GraphQLError
from starlette.types import Scope
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.types.enum import EnumValue, StrawberryEnumDefinition

from bffs.web.context import WebContext, selected
from bffs.web.graph.dashboard import Dashboard, compose_dashboard
from bffs.web.graph.viewer import Viewer, compose_viewer
from shared.asgi.problem import as_problem, problem_of
from shared.errors import ProblemCode, ProblemError
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

Info = strawberry.Info[WebContext, None]


async def _dashboard(info: Info) -> Dashboard | None:
    return await compose_dashboard(info.context, selected(info.selected_fields))


async def _viewer(info: Info) -> Viewer | None:
    return await compose_viewer(info.context)


@strawberry.type
class Query:
    """Root fields are nullable, so that one that fails leaves its siblings."""

    dashboard: Dashboard | None = strawberry.field(resolver=_dashboard, description="The first page, in one operation.")
    viewer: Viewer | None = strawberry.field(resolver=_viewer, description="Who is signed in.")


class Names(NameConverter):
    """Closed lists are spelt alike everywhere: ``timeout`` in REST, ``timeout`` here."""

    def from_enum_value(self, enum: StrawberryEnumDefinition, enum_value: EnumValue) -> str:
        """Return the value's name in lower case."""
        return super().from_enum_value(enum, enum_value).lower()


schema = strawberry.Schema(query=Query, config=StrawberryConfig(name_converter=Names()))


def error_body(error: GraphQLError, scope: Scope) -> dict[str, Any]:
    """Say an error as clients may see it: ``extensions`` is a problem, the cause of an ``internal`` is in the log."""
    cause = error.original_error
    if cause is None or isinstance(cause, GraphQLError):  # syntax and validation: the document's own fault
        problem = ProblemError(ProblemCode.INVALID_REQUEST, error.message)
    else:
        problem = as_problem(cause)
        if problem.code is ProblemCode.INTERNAL:
            log.error("resolver_failed", path=error.path, exc_info=cause)
    said = problem_of(problem, scope).model_dump(mode="json", by_alias=True, exclude_none=True)
    kept = ("code", "retryable", "retryAfterSeconds", "traceId", "section")
    body: dict[str, Any] = {"message": problem.detail}
    if error.locations:
        body["locations"] = [{"line": one.line, "column": one.column} for one in error.locations]
    if error.path:
        body["path"] = error.path
    return {**body, "extensions": {name: said[name] for name in kept if name in said}}
