"""How a value becomes a part of the answer, by its type (GraphQL §6.4.3): one function for each kind of type.

A plan calls the function of a field's spot. What graphql-core judges (coercion, the type behind an interface) it judges
here too, by its own functions.
"""

from collections.abc import AsyncIterable, Callable, Iterable
from typing import Any

from graphql import (
    FieldNode,
    GraphQLAbstractType,
    GraphQLError,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    is_abstract_type,
    is_leaf_type,
)
from graphql.error import located_error
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.executor import invalid_return_type_error
from graphql.pyutils import is_async_iterable, is_awaitable, is_iterable
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.cast import get_strawberry_type_cast

from shared.plans.place import BACKREF, Asked, Complete, Place, Spot, keys_to
from shared.plans.run import Run, plain

# Puts the selected fields of an object into a dict, which it returns.
Selection = Callable[[Any, dict[str, Any], Place | None, Run], dict[str, Any]]
Select = Callable[[GraphQLObjectType, list[FieldNode]], Selection]


def spot_of(asked: Asked, type_: GraphQLOutputType, select: Select, *, is_item: bool = False) -> Spot:
    """Return the spot of a value of ``type_``; ``select`` gives the selection of an object under it."""
    nullable = not isinstance(type_, GraphQLNonNull)
    inner = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    return Spot(asked, nullable, is_item, _completer(asked, inner, select))


def _completer(asked: Asked, type_: Any, select: Select) -> Complete:
    if isinstance(type_, GraphQLList):
        return _list(asked, spot_of(asked, type_.of_type, select, is_item=True))
    if is_leaf_type(type_):
        return _leaf(type_)
    if is_abstract_type(type_):
        return _abstract(asked, type_, select)
    return _object(asked, type_, select(type_, asked.nodes))


def _leaf(type_: GraphQLLeafType) -> Complete:
    def complete(value: Any, _place: Place, _run: Run) -> Any:
        return Executor.complete_leaf_value(type_, value)

    return complete


def _list(asked: Asked, item: Spot) -> Complete:
    def complete(value: Iterable[Any], place: Place, run: Run) -> list[Any] | None:
        if is_async_iterable(value):
            run.wait(_read(value, place), place, lambda items: complete_all(items, place, run))
            return None
        if not is_iterable(value):
            raise GraphQLError(f"Expected Iterable, but did not find one for field '{asked.called}'.")
        return complete_all(value, place, run)

    def complete_all(value: Iterable[Any], place: Place, run: Run) -> list[Any]:
        items: list[Any] = []
        for index, one in enumerate(value):
            here = (place, index, items, item)
            if type(one) in plain:
                try:
                    items.append(item.complete(one, here, run))
                except Exception as error:  # noqa: BLE001 - as in Run.fill
                    run.failed(error, here)
                    items.append(None)
            else:
                items.append(run.fill(one, here))
        return items

    return complete


async def _read(source: AsyncIterable[Any], place: Place) -> list[Any]:
    items: list[Any] = []
    try:
        async for item in source:
            items.append(item)  # noqa: PERF401 - an error says after how many
    except Exception as error:
        raise located_error(error, place[3].asked.nodes, [*keys_to(place), len(items)]) from error
    return items


def _object(asked: Asked, type_: GraphQLObjectType, selection: Selection) -> Complete:
    def complete(value: Any, place: Place, run: Run) -> dict[str, Any]:
        return selection(value, {}, place, run)

    judge = type_.is_type_of
    if judge is None:
        return complete
    own = _own_class(type_)

    def judged(value: Any, place: Place, run: Run) -> dict[str, Any] | None:
        if type(value) is own and get_strawberry_type_cast(value) is None:
            return selection(value, {}, place, run)
        verdict = judge(value, run.info(place))
        if is_awaitable(verdict):
            run.wait(verdict, place, lambda verdict: go_on(verdict, value, place, run))
            return None
        return go_on(verdict, value, place, run)

    def go_on(verdict: Any, value: Any, place: Place, run: Run) -> dict[str, Any]:
        if not verdict:
            raise invalid_return_type_error(type_, value, _details(asked))
        return complete(value, place, run)

    return judged


def _own_class(type_: GraphQLObjectType) -> type | None:
    """Return the class whose instances Strawberry always takes for this type, unless they were cast to another."""
    definition = type_.extensions.get(BACKREF)
    if not isinstance(definition, StrawberryObjectDefinition) or definition.is_type_of is not None:
        return None
    return definition.origin


def _abstract(asked: Asked, type_: GraphQLAbstractType, select: Select) -> Complete:
    """Each type behind it gets its selection when a value of it first comes: of the rest there may be very many."""
    known: dict[str, Complete] = {}

    def complete(value: Any, place: Place, run: Run) -> Any:
        info = run.info(place)
        name = (type_.resolve_type or run.executor.type_resolver)(value, info, type_)
        if is_awaitable(name):
            run.wait(name, place, lambda name: of(name, value, place, run)(value, place, run))
            return None
        return of(name, value, place, run)(value, place, run)

    def of(name: Any, value: Any, place: Place, run: Run) -> Complete:
        found = known.get(name) if isinstance(name, str) else None
        if found is None:
            behind = run.executor.ensure_valid_runtime_type(name, type_, _details(asked), run.info(place), value)
            found = known[name] = _object(asked, behind, select(behind, asked.nodes))
        return found

    return complete


def _details(asked: Asked) -> list[FieldDetails]:
    return [FieldDetails(node, None, None) for node in asked.nodes]
