"""What resolvers get: one request's context, made anew for each, and which fields were asked for."""

from dataclasses import dataclass

import strawberry

from bffs.web.selection import fields_of
from shared.asgi.caller import FetchSections
from shared.clock import Clock
from shared.identity.principal import Principal


@dataclass(frozen=True, slots=True)
class WebContext:
    """The caller, the fan-out bound to this request, and the clock."""

    user: Principal
    fetch: FetchSections
    clock: Clock


class WebInfo(strawberry.Info[WebContext, None]):
    """What a resolver knows about its field."""

    @property
    def asked(self) -> frozenset[str]:
        """Names of the fields asked for below this one, so that nothing else is fetched."""
        raw = self._raw_info
        selections = [one for node in raw.field_nodes if node.selection_set for one in node.selection_set.selections]
        return frozenset(field.name.value for field in fields_of(selections, raw.fragments, self.variable_values))
