"""From a document's text to what can be executed: parsed, measured, validated, costed and compiled once.

Owns the order of these steps, and the memory. Nothing here depends on who asks, or on variables: what a caller may
spend is ``limits.py``, which documents count at all is ``trusted.py``.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)
from strawberry import Schema
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from bffs.web.costing import cost_of
from bffs.web.costs import OperationCost
from bffs.web.measure import TooLargeError, fragments_of, refuse_too_large
from shared.plans.operation import Operation as Executable
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

# The largest page asks for some 400 tokens, GraphiQL's introspection for 300.
MAX_TOKENS: Final = 1000
# Strawberry's own rules come after those of the specification.
RULES: Final = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
# So many characters of documents are remembered, and 180 times that of memory goes with them (measured, plans
# included): at most some 100 MB. A page's own are some ten thousand; what is not sent again leaves first.
MAX_REMEMBERED: Final = 600_000
# What the shortest takes, in characters.
LEAST: Final = 200


class Refused(Exception):
    """The document is no operation that can be executed here."""

    def __init__(self, *errors: GraphQLError) -> None:
        super().__init__(*errors)
        self.errors = list(errors)


class Prepared:
    """One operation of one document, good to be executed as often as one likes."""

    __slots__ = ("cost", "document", "executable", "fragments", "operation", "text")

    def __init__(
        self, text: str, document: DocumentNode, operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode], cost: OperationCost, executable: Executable,
    ) -> None:  # fmt: skip
        self.text = text
        self.document = document
        self.operation = operation
        self.fragments = fragments
        self.cost = cost
        self.executable = executable

    @property
    def name(self) -> str | None:
        """The operation's own name."""
        return self.operation.name.value if self.operation.name else None

    @property
    def kind(self) -> str:
        """``query``, ``mutation`` or ``subscription``."""
        return self.operation.operation.value


class Preparer:
    """Prepares documents of one schema. ``open_schema``: it may be asked about itself, and helps with spelling.

    ``plans``: operations are compiled; without, graphql-core executes all of them.
    """

    def __init__(
        self, schema: Schema, *, open_schema: bool, plans: bool = True, most_remembered: int = MAX_REMEMBERED
    ) -> None:
        self._strawberry = schema
        self._schema = schema._schema  # noqa: SLF001 - graphql-core's own, which Strawberry does not give out
        self._open = open_schema
        self._plans = plans
        self._rules = RULES if open_schema else (*RULES, NoSchemaIntrospectionCustomRule)
        self._remembered: OrderedDict[tuple[str, str | None], Prepared] = OrderedDict()
        self._characters = 0
        self._most = most_remembered

    def __len__(self) -> int:
        """How many operations are remembered."""
        return len(self._remembered)

    def prepare(self, text: str, name: str | None = None) -> Prepared:
        """Return the operation ``name`` of a document, or its only one. Raises Refused."""
        key = (text, name)
        known = self._remembered.get(key)
        if known is not None:
            self._remembered.move_to_end(key)
            return known
        made = self._make(text, name)
        self._remembered[key] = made
        self._characters += len(text) + LEAST
        while self._characters > self._most:
            (gone, _), _ = self._remembered.popitem(last=False)
            self._characters -= len(gone) + LEAST
        return made

    def _make(self, text: str, name: str | None) -> Prepared:
        try:
            document = parse(text, max_tokens=MAX_TOKENS)
            refuse_too_large(document)
        except GraphQLError as fault:
            raise Refused(fault) from None
        except TooLargeError as fault:
            raise Refused(GraphQLError(str(fault))) from None
        except RecursionError as fault:  # Python's own limit, met by whatever walks the document
            raise Refused(GraphQLError("The document is nested too deeply.", original_error=fault)) from None
        operation = _chosen(document, name)
        if faults := validate(self._schema, document, self._rules, hide_suggestions=not self._open):
            raise Refused(*faults)
        fragments = fragments_of(document)
        cost = cost_of(self._schema, operation, fragments)
        return Prepared(text, document, operation, fragments, cost, self._executable(document, operation))

    def _executable(self, document: DocumentNode, operation: OperationDefinitionNode) -> Executable:
        made = Executable(
            self._strawberry, document, operation, hide_suggestions=not self._open, compiled=self._plans
        )  # fmt: skip
        if self._plans and made.not_compiled:
            log.info("operation_not_compiled", reason=made.not_compiled)
        return made


def _chosen(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """Return the operation that is meant (GraphQL §6.1). Raises Refused."""
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if not operations:
        raise Refused(GraphQLError("The document has no operation."))
    if name is None:
        if len(operations) > 1:
            raise Refused(GraphQLError("Send `operationName`: the document has several operations."))
        return operations[0]
    found = [one for one in operations if one.name and one.name.value == name]
    if not found:
        raise Refused(GraphQLError("The document has no operation of that `operationName`."))
    return found[0]
