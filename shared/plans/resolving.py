"""How a field's value is had: read from its parent, or asked of a resolver with its arguments.

Owns what we know of Strawberry's fields. One without a resolver is an attribute of its parent. A plain resolver is
called as its author wrote it; one with extensions, exception handlers or arguments goes through Strawberry's own steps.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from graphql import FieldNode, GraphQLField, ValueNode, VariableNode
from graphql.execution import get_argument_values
from graphql.language import ListValueNode, ObjectValueNode
from strawberry import Schema
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from shared.plans.place import BACKREF, Asked, Place
from shared.plans.run import Run

# Gives what the field's resolver gives: a value, or something to wait for.
Resolve = Callable[[Any, Place, Run], Any]

# Arguments made of these may be handed out again: nobody can change them.
LASTING: Final = (str, int, float, bool, type(None))


def attribute_of(definition: GraphQLField) -> str | None:
    """Return the name of the attribute that holds the field's value; None when it has a resolver."""
    field = definition.extensions.get(BACKREF)
    if not isinstance(field, StrawberryField) or not field.is_basic_field or field.default_resolver is not getattr:
        return None
    # Strawberry marks the function that only reads; exception handlers get another one.
    return field.python_name if getattr(definition.resolve, "_is_default", False) else None


def resolver_of(asked: Asked, schema: Schema) -> Resolve:
    """Return what resolves a field that is more than an attribute."""
    definition, node = asked.definition, asked.nodes[0]
    if not definition.args and not node.arguments:
        return _plain_call(definition, schema) or _call(definition)
    constant = _constant_arguments(definition, node)
    resolve = definition.resolve

    def call(source: Any, place: Place, run: Run) -> Any:
        function = resolve or run.executor.field_resolver
        info = run.info(place)
        arguments = constant if constant is not None else get_argument_values(definition, node, run.variables)
        return function(source, info, **arguments)

    return call


def _call(definition: GraphQLField) -> Resolve:
    resolve = definition.resolve

    def call(source: Any, place: Place, run: Run) -> Any:
        return (resolve or run.executor.field_resolver)(source, run.info(place))

    return call


def _plain_call(definition: GraphQLField, schema: Schema) -> Resolve | None:
    """Return a call of the author's own function, where Strawberry would do nothing more than that."""
    field = definition.extensions.get(BACKREF)
    if type(field) is not StrawberryField or field.extensions or schema.schema_converter.exception_handlers:
        return None
    resolver = field.base_resolver
    if type(resolver) is not StrawberryResolver or field.arguments:
        return None
    function: Any = resolver.wrapped_func
    make_info = schema.config.info_class
    by_name = [one.name for one in (resolver.parent_parameter, resolver.root_parameter) if one is not None]
    first, info_name = resolver.self_parameter is not None, resolver.info_parameter and resolver.info_parameter.name

    def call(source: Any, place: Place, run: Run) -> Any:
        named = dict.fromkeys(by_name, source)
        if info_name:
            named[info_name] = make_info(_raw_info=run.info(place), _field=field)
        return function(source, **named) if first else function(**named)

    return call if callable(function) else None


def _constant_arguments(definition: GraphQLField, node: FieldNode) -> Mapping[str, Any] | None:
    """Return the arguments when they are the same for every request, and nobody can change them."""
    if any(_reads_variables(argument.value) for argument in node.arguments or ()):
        return None
    try:
        values = get_argument_values(definition, node)
    except Exception:  # noqa: BLE001 - a scalar of the schema's may raise anything: then each request finds out anew
        return None
    return values if all(isinstance(one, LASTING) for one in values.values()) else None


def _reads_variables(value: ValueNode) -> bool:
    left: list[Any] = [value]
    while left:
        node = left.pop()
        if isinstance(node, VariableNode):
            return True
        if isinstance(node, ListValueNode):
            left += node.values
        elif isinstance(node, ObjectValueNode):
            left += [field.value for field in node.fields]
    return False
