"""One operation of a document, and its plans: one for each way in which its switches stand.

Owns when a plan is made and for how long it is kept: as long as the operation, a bounded number of them. What has
none runs on graphql-core.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLObjectType,
    OperationDefinitionNode,
    OperationType,
    default_field_resolver,
    default_type_resolver,
    execute,
)
from graphql.execution import Executor, get_variable_values
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.values import VariableValues
from graphql.pyutils import is_awaitable
from strawberry import Schema

from shared.plans.collect import NotCompiled, Scope, fields_by_key, refuse_what_is_not_said, switches_of
from shared.plans.completing import Selection
from shared.plans.place import Asked
from shared.plans.run import Run
from shared.plans.source import selection_of

# Each boolean that @skip and @include read doubles the ways; a page has one or two of them.
MOST_PLANS: Final = 8
# A page of ours has some twenty.
MOST_SELECTIONS: Final = 400

NOTHING: Final = VariableValues({}, {})


class Plan(NamedTuple):
    """An operation as functions: one for all fields of its root, or, for a mutation, one for each, in their order."""

    steps: tuple[Selection, ...]


class Operation:
    """A validated operation of a document. ``not_compiled`` says why graphql-core executes it; None when plans do."""

    def __init__(
        self, schema: Schema, document: DocumentNode, operation: OperationDefinitionNode, *,
        hide_suggestions: bool = False, compiled: bool = True,
    ) -> None:  # fmt: skip
        self.schema = schema
        self.document = document
        self.node = operation
        self.hide_suggestions = hide_suggestions
        fragments = [one for one in document.definitions if isinstance(one, FragmentDefinitionNode)]
        self.fragments = {one.name.value: one for one in fragments}
        self.not_compiled: str | None = None
        self._switches: tuple[str, ...] = ()
        self._plans: dict[tuple[bool, ...], Plan] = {}
        try:
            if not compiled:
                raise NotCompiled("it was not asked for")  # noqa: TRY301 - one place notes every reason
            refuse_what_is_not_said(operation, self.fragments)
            self._switches = switches_of(operation, self.fragments)
            if not self._switches:
                self._plans[()] = self._compiled({})
        except NotCompiled as reason:
            self.not_compiled = str(reason)

    async def execute(
        self, raw_variables: Mapping[str, Any] | None = None, *, root: Any = None, context: Any = None
    ) -> ExecutionResult:
        """Execute it: by a plan where there is one, or by graphql-core. Raises what only a bug of ours raises."""
        if self.not_compiled is not None:
            return await self.execute_on_core(raw_variables, root=root, context=context)
        variables = self._variables(raw_variables or {})
        if not isinstance(variables, VariableValues):
            return ExecutionResult(None, variables)
        plan = self._plan(variables)
        if plan is None:
            return await self.execute_on_core(raw_variables, root=root, context=context)
        return await _executed(plan, Run(self, root, context, variables))

    async def execute_on_core(
        self, raw_variables: Mapping[str, Any] | None = None, *, root: Any = None, context: Any = None
    ) -> ExecutionResult:
        """Execute it by graphql-core, as Strawberry does."""
        result = execute(
            self.schema._schema,  # noqa: SLF001 - Strawberry has no other way to it
            self.document, root, context, dict(raw_variables or {}), self.node.name.value if self.node.name else None,
            is_awaitable=is_awaitable, executor_class=self.schema.execution_context_class, operation_extensions=None,
            hide_suggestions=self.hide_suggestions,
        )  # fmt: skip
        return result if isinstance(result, ExecutionResult) else await result

    def executor(self, root: Any, context: Any, variables: VariableValues) -> Executor[Any]:
        """Return graphql-core's executor for one request, of the class that Strawberry uses."""
        return self.schema.execution_context_class(
            self.schema._schema, self.fragments,  # noqa: SLF001 - as above
            {name: FragmentDetails(one, None) for name, one in self.fragments.items()},
            root, context, self.node, variables, default_field_resolver, default_type_resolver, default_field_resolver,
            hide_suggestions=self.hide_suggestions,
        )  # fmt: skip

    def _variables(self, raw: Mapping[str, Any]) -> VariableValues | list[GraphQLError]:
        declared = self.node.variable_definitions
        return get_variable_values(self.schema._schema, declared, dict(raw)) if declared else NOTHING  # noqa: SLF001

    def _plan(self, variables: VariableValues) -> Plan | None:
        ways: tuple[Any, ...] = tuple(variables.coerced.get(name) for name in self._switches)
        found = self._plans.get(ways)
        if found is None and all(isinstance(one, bool) for one in ways) and len(self._plans) < MOST_PLANS:
            try:
                found = self._plans[ways] = self._compiled(dict(zip(self._switches, ways, strict=True)))
            except NotCompiled as reason:
                self.not_compiled = str(reason)
        return found

    def _compiled(self, switches: Mapping[str, bool]) -> Plan:
        try:
            return _Compiler(self, switches).plan()
        except RecursionError:
            raise NotCompiled("it is nested too deeply") from None


class _Compiler:
    """Makes the plan of an operation for one way in which its switches stand."""

    def __init__(self, operation: Operation, switches: Mapping[str, bool]) -> None:
        self._operation = operation
        self._schema = operation.schema
        self._graph = operation.schema._schema  # noqa: SLF001 - as above
        self._scope = Scope(self._graph, operation.fragments, switches)
        # The same fields on the same type are the same function, however often fragments repeat them.
        self._made: dict[tuple[str, tuple[int, ...]], Selection] = {}
        self._most = MOST_SELECTIONS

    def plan(self) -> Plan:
        node = self._operation.node
        root = self._graph.get_root_type(node.operation)
        if root is None:
            raise NotCompiled("the schema has no such root")
        asked = self._asked(root, fields_by_key(self._scope, root, [node.selection_set]))
        groups = [[one] for one in asked] if node.operation is OperationType.MUTATION else [asked]
        plan = Plan(tuple(selection_of(group, self._schema, self.selection) for group in groups))
        self._most = sys.maxsize  # from here on a selection is made for a value that is there
        return plan

    def selection(self, on: GraphQLObjectType, nodes: list[FieldNode]) -> Selection:
        key = (on.name, tuple(id(node) for node in nodes))
        if key not in self._made:
            if len(self._made) >= self._most:
                raise NotCompiled("it has too many selections")
            sets = [node.selection_set for node in nodes if node.selection_set]
            self._made[key] = selection_of(
                self._asked(on, fields_by_key(self._scope, on, sets)), self._schema, self.selection
            )
        return self._made[key]

    def _asked(self, on: GraphQLObjectType, fields: Mapping[str, Sequence[FieldNode]]) -> list[Asked]:
        found = ((key, list(nodes), self._graph.get_field(on, nodes[0].name.value)) for key, nodes in fields.items())
        return [Asked(key, nodes, on, definition) for key, nodes, definition in found if definition is not None]


async def _executed(plan: Plan, run: Run) -> ExecutionResult:
    data: dict[str, Any] = {}
    try:
        for step in plan.steps:
            step(run.root, data, None, run)
            await run.waits.drain()
            if run.nulled:
                break
    except GraphQLError as error:
        run.errors.append(error)
        run.waits.drop_all()
        run.nulled = True
    return ExecutionResult(None if run.nulled else data, run.errors or None)
