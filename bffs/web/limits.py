"""What a document must keep to before anything of it runs.

graphql-core itself stops deep nesting, cyclic fragments and introspection bombs; these are the limits it leaves to us,
and one rule that Strawberry drops.
"""

from collections.abc import Iterator
from typing import Any, Final

from graphql import FragmentDefinitionNode, GraphQLError, OperationDefinitionNode, ValidationRule
from strawberry.extensions import SchemaExtension

from bffs.web.selection import fields_of

# The largest page asks for some 100 tokens, GraphiQL's introspection for 300. Validation compares fields pair by pair:
# at 1,000 tokens the worst document takes 0.3 s of it, at 10,000 several seconds of everybody's time.
MAX_TOKENS: Final = 1000
# Each field of the root is a fan-out of its own, and no page has more parts (field case W4).
MAX_ROOT_FIELDS: Final = 10


class RootFieldsRule(ValidationRule):
    """Counts what one operation starts, however it is aliased or spread."""

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        """Report an operation that starts too much."""
        definitions = self.context.document.definitions
        fragments = {one.name.value: one for one in definitions if isinstance(one, FragmentDefinitionNode)}
        fields = fields_of(node.selection_set.selections, fragments, {})
        if len({(one.alias or one.name).value for one in fields}) > MAX_ROOT_FIELDS:
            self.report_error(GraphQLError(f"An operation has at most {MAX_ROOT_FIELDS} root fields.", [node]))


class Limits(SchemaExtension):
    """Sets them for one operation."""

    def on_operation(self) -> Iterator[None]:
        """Hand the limits to the parser and to validation."""
        self.execution_context.parse_options = {"max_tokens": MAX_TOKENS}
        self.execution_context.validation_rules += (RootFieldsRule,)
        yield

    def on_parse(self) -> Iterator[None]:
        """Refuse several operations without a choice (GraphQL §6.1); Strawberry would run the first."""
        yield
        context = self.execution_context
        definitions = context.graphql_document.definitions if context.graphql_document else ()
        operations = sum(isinstance(one, OperationDefinitionNode) for one in definitions)
        if operations > 1 and context._provided_operation_name is None:  # noqa: SLF001 - the public one names the first
            raise GraphQLError("Send `operationName`: the document has several operations.")
