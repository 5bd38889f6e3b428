"""One execution of a plan: its errors, and what becomes null when something fails (GraphQL §6.4).

While nothing has to be waited for, all is plain calls. What a resolver leaves to wait for is noted with its place
(``waiting.py``) and completed where it belongs when it has come.
"""

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, GraphQLResolveInfo
from graphql.error import located_error
from graphql.execution import Executor
from graphql.execution.values import VariableValues
from graphql.pyutils import Undefined, is_awaitable

from shared.plans.place import Place, field_of, keys_to, places_up
from shared.plans.telling import NO_PATH, PATH, told_of
from shared.plans.waiting import Then, Wait, Waits

if TYPE_CHECKING:
    from shared.plans.operation import Operation

# Classes whose instances are values as they are: no null, no exception, nothing to wait for.
plain: set[type] = set()
# More classes than any program declares: one that makes them anew for every value must not fill the memory.
MOST_CLASSES = 10_000


class Run:
    """The live part. ``errors`` are GraphQL's; ``nulled`` says that nothing is left of the answer."""

    def __init__(self, operation: "Operation", root: Any, context: Any, variables: VariableValues) -> None:
        self.operation = operation
        self.root = root
        self.context = context
        self.variables = variables
        self.errors: list[GraphQLError] = []
        self.nulled = False
        self.waits = Waits(self._resume)
        self._executor: Executor[Any] | None = None
        self._told: tuple[type[Any], tuple[Any, ...]] | None = None

    @property
    def executor(self) -> "Executor[Any]":
        """graphql-core's own for this request, made when something needs it: a resolver's ``info`` comes from it."""
        if self._executor is None:
            self._executor = self.operation.executor(self.root, self.context, self.variables)
        return self._executor

    def info(self, place: Place) -> GraphQLResolveInfo[Any]:
        """Return what the resolver of the field at ``place`` is told."""
        place = field_of(place)
        asked = place[3].asked
        if self._told is None:
            first = self.executor.build_resolve_info(asked.definition, asked.nodes, asked.on, NO_PATH)
            kind: Any = type(first)
            self._told = told_of(kind), tuple(first)[PATH + 1 :]
        told, rest = self._told
        info: GraphQLResolveInfo[Any] = tuple.__new__(told, (*asked.told, place, *rest))
        return info

    def fill(self, value: Any, place: Place) -> Any:
        """Return what stands at ``place`` for what was resolved: for something to wait for, null until it has come.

        Raises the GraphQLError of a failure where null may not stand.
        """
        try:
            if type(value) not in plain and is_awaitable(value):
                self.wait(value, place)
                return None
            return self.settle(value, place)
        except Exception as error:  # noqa: BLE001 - whatever a resolver raises is an error of its field
            self.failed(error, place)
            return None

    def settle(self, value: Any, place: Place) -> Any:
        """Complete a value that is there. Raises what its type or its resolver says against it."""
        spot = place[3]
        if type(value) not in plain:
            if isinstance(value, Exception):
                raise value
            if value is None or value is Undefined:
                if spot.nullable:
                    return None
                raise TypeError(f"Cannot return null for non-nullable field {spot.asked.called}.")
            note_plain(type(value))
        return spot.complete(value, place, self)

    def wait(self, awaitable: Awaitable[Any], place: Place, then: Then | None = None) -> None:
        """Note what to wait for; until it has come, null stands for it."""
        self.waits.add(awaitable, place, then)

    def failed(self, error: Exception, place: Place) -> None:
        """Note an error where null may stand; raise it, located, where it may not."""
        located = located_error(error, place[3].asked.nodes, keys_to(place))
        if not place[3].nullable:
            raise located
        self.errors.append(located)
        self.waits.drop_fresh(place)

    def _resume(self, wait: Wait, outcome: Any) -> None:
        """Put what has come where it belongs, or null where its failure must be seen."""
        place = wait.place
        try:
            value = self._continued(wait, outcome)
        except Exception as error:  # noqa: BLE001 - as in fill
            self._fail_late(error, place)
        else:
            place[2][place[1]] = value

    def _continued(self, wait: Wait, outcome: Any) -> Any:
        if wait.then is None:
            return self.settle(outcome, wait.place)
        if isinstance(outcome, Exception):
            raise outcome
        return wait.then(outcome)

    def _fail_late(self, error: Exception, place: Place) -> None:
        self.errors.append(located_error(error, place[3].asked.nodes, keys_to(place)))
        self.waits.drop_fresh(place)
        seen = next((one for one in places_up(place) if one[3].nullable), None)
        if seen is None:
            self.nulled = True
            self.waits.drop_all()
            return
        seen[2][seen[1]] = None
        if seen is not place:
            self.waits.drop_live(seen)


def note_plain(kind: type) -> None:
    """Remember a class of which a value was neither awaitable nor an exception, if all of its values are like that."""
    guesses = any("__getattr__" in vars(one) or "__await__" in vars(one) for one in kind.__mro__)
    if not guesses and not issubclass(kind, BaseException) and len(plain) < MOST_CLASSES:
        plain.add(kind)
