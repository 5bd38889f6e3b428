"""The schema: its root, its naming, and how an operation is executed on it."""

from datetime import datetime
from decimal import Decimal
from typing import Final

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.schema.name_converter import NameConverter
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.enum import EnumValue, StrawberryEnumDefinition

from bffs.web.context import WebContext, WebInfo
from bffs.web.errors import log_failures
from bffs.web.graph.dashboard import Dashboard, compose_dashboard
from bffs.web.graph.scalars import DATE_TIME, DECIMAL
from bffs.web.graph.viewer import Viewer, compose_viewer
from bffs.web.limits import Limits
from bffs.web.operation import Operation
from shared.errors import ProblemCode


async def _dashboard(info: WebInfo) -> Dashboard | None:
    return await compose_dashboard(info.context, info.asked)


async def _viewer(info: WebInfo) -> Viewer | None:
    return await compose_viewer(info.context)


@strawberry.type(description="What a page can ask for. A field that fails is null and leaves its siblings.")
class Query:
    """The root."""

    dashboard: Dashboard | None = strawberry.field(resolver=_dashboard, description="The first page, in one operation.")
    viewer: Viewer | None = strawberry.field(resolver=_viewer, description="Who is signed in; an error when not known.")


PROBLEM_CODE: Final = strawberry.enum(ProblemCode, description="What `extensions.code` of an error may say.")


class Names(NameConverter):
    """Closed lists are spelt alike everywhere: ``timeout`` in REST, ``timeout`` here."""

    def from_enum_value(self, enum: StrawberryEnumDefinition, enum_value: EnumValue) -> str:
        """Return the value's name in lower case."""
        return super().from_enum_value(enum, enum_value).lower()


class WebSchema(strawberry.Schema):
    """Strawberry's schema with our log: its own would also quote every mistyped document, as an error."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None  # noqa: ARG002 - Strawberry's hook
    ) -> None:  # fmt: skip
        """Log what clients are not told."""
        log_failures(errors)


schema: Final = WebSchema(
    query=Query,
    config=StrawberryConfig(
        name_converter=Names(), info_class=WebInfo, scalar_map={datetime: DATE_TIME, Decimal: DECIMAL}
    ),
    types=[PROBLEM_CODE],
    extensions=[Limits],
)


async def execute(operation: Operation, context: WebContext) -> ExecutionResult:
    """Execute one operation; whatever is wrong with it is in the result."""
    try:
        return await schema.execute(
            operation.query,
            variable_values=operation.variables,
            operation_name=operation.name,
            context_value=context,
        )
    except CannotGetOperationTypeError as unknown:  # the one finding that Strawberry raises
        return ExecutionResult(data=None, errors=[GraphQLError(unknown.as_http_error_reason())])
