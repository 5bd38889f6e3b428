"""What resolvers get: the caller, the fan-out bound to this request, and the clock. Made anew for each request."""

from collections.abc import Iterator
from dataclasses import dataclass

from strawberry.types.nodes import SelectedField, Selection

from shared.asgi.caller import FetchSections
from shared.clock import Clock
from shared.identity.principal import Principal


@dataclass(frozen=True, slots=True)
class WebContext:
    """One request's context."""

    user: Principal
    fetch: FetchSections
    clock: Clock


def selected(fields: list[Selection]) -> frozenset[str]:
    """Return the names asked for below a field, through fragments, so that nothing else is fetched."""
    return frozenset(name for field in fields for name in _names(field.selections))


def _names(selections: list[Selection]) -> Iterator[str]:
    for selection in selections:
        if isinstance(selection, SelectedField):
            yield selection.name
        else:
            yield from _names(selection.selections)
