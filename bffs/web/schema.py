"""The schema: its root, its naming, and how an operation is executed on it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import strawberry
from graphql import ExecutionResult, GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.types import ExecutionContext
from strawberry.types.enum import EnumValue, StrawberryEnumDefinition

from bffs.web.context import WebContext, WebInfo
from bffs.web.errors import log_failures
from bffs.web.graph.orders import Product
from bffs.web.graph.roots import Mutation, Query
from bffs.web.graph.scalars import DATE_TIME, DECIMAL
from bffs.web.prepare import Prepared
from shared.errors import ProblemCode

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
    mutation=Mutation,
    config=StrawberryConfig(
        name_converter=Names(), info_class=WebInfo, scalar_map={datetime: DATE_TIME, Decimal: DECIMAL}
    ),
    types=[PROBLEM_CODE, Product],
)


async def execute(prepared: Prepared, variables: Mapping[str, Any], context: WebContext) -> ExecutionResult:
    """Execute a prepared operation; whatever goes wrong is in the result, and what is not for clients in the log.

    The one place where operations run: past Strawberry's own ``execute``, which would parse and validate them anew.
    """
    result = await prepared.executable.execute(variables, context=context)
    if result.errors:
        log_failures(result.errors)
    return result
