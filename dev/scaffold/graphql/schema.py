"""Newcomer's schema: its root, its limits, its words.

The limits are Strawberry's own; when newcomer's pages ask for more (cost, trusted documents), see ``bffs/web``.
"""

from typing import Any, Final

import strawberry
from fastapi import FastAPI
from graphql import GraphQLError, NoSchemaIntrospectionCustomRule
from strawberry.extensions import AddValidationRules, MaxAliasesLimiter, MaxTokensLimiter, QueryDepthLimiter
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.types import ExecutionContext, Info
from strawberry.types.enum import EnumValue, StrawberryEnumDefinition

from dev.scaffold.graphql.context import Caller
from dev.scaffold.graphql.errors import log_failures
from dev.scaffold.graphql.summary import Summary, compose_summary

# A page of newcomer asks for some 30 tokens, two levels deep; each root field is a fan-out of its own.
LIMITS: Final[tuple[Any, ...]] = (
    lambda: MaxTokensLimiter(max_token_count=500),
    lambda: QueryDepthLimiter(max_depth=8),
    lambda: MaxAliasesLimiter(max_alias_count=15),
)
CLOSED: Final[tuple[Any, ...]] = (lambda: AddValidationRules([NoSchemaIntrospectionCustomRule]),)


async def newcomer_summary(info: Info[dict[str, Caller], None]) -> Summary:
    """Compose what the root's one field asks for."""
    caller = info.context["caller"]
    return await compose_summary(caller.fetch, caller.user.subject)


@strawberry.type(description="What a page of newcomer can ask for.")
class Query:
    """The root."""

    summary: Summary = strawberry.field(resolver=newcomer_summary, description="The first page, in one operation.")


class Words(NameConverter):
    """Newcomer's enum values are spelt as in REST: ``timeout``."""

    def from_enum_value(self, enum: StrawberryEnumDefinition, enum_value: EnumValue) -> str:
        """Spell one."""
        name: str = super().from_enum_value(enum, enum_value)
        return name.lower()


class NewcomerSchema(strawberry.Schema):
    """Strawberry's schema with our log."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log what newcomer's clients are not told."""
        log_failures(errors, execution_context)


def schema_for(mode: str) -> NewcomerSchema:
    """Return newcomer's schema; introspection is for developers' machines."""
    closed = () if mode == "local" else CLOSED
    return NewcomerSchema(query=Query, config=StrawberryConfig(name_converter=Words()), extensions=[*LIMITS, *closed])


def sdl(_: FastAPI) -> str:
    """Return the committed form of ``schema.graphql``."""
    return schema_for("production").as_str() + "\n"
