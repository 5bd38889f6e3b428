"""What resolvers get: one request's context, made anew for each, and which fields were asked for."""

import strawberry

from bffs.web.loaders import Loaders
from bffs.web.selection import fields_of
from shared.asgi.caller import FetchSections
from shared.clock import Clock
from shared.cursors import Cursors
from shared.identity.principal import Principal


class WebContext:
    """The caller, the fan-out bound to this request, the clock, what seals cursors, and the request's loaders."""

    __slots__ = ("_load", "clock", "cursors", "fetch", "user")

    def __init__(self, user: Principal, fetch: FetchSections, clock: Clock, cursors: Cursors) -> None:
        self.user = user
        self.fetch = fetch
        self.clock = clock
        self.cursors = cursors
        self._load: Loaders | None = None

    @property
    def load(self) -> Loaders:
        """The loaders; an operation that needs none has none."""
        if self._load is None:
            self._load = Loaders(self.fetch, self.user.subject)
        return self._load

    def close(self) -> None:
        """Let go of what was begun and is not needed any more."""
        if self._load is not None:
            self._load.close()


class WebInfo(strawberry.Info[WebContext, None]):
    """What a resolver knows about its field."""

    @property
    def asked(self) -> frozenset[str]:
        """Names of the fields asked for below this one, so that nothing else is fetched."""
        raw = self._raw_info
        selections = [one for node in raw.field_nodes if node.selection_set for one in node.selection_set.selections]
        return frozenset(field.name.value for field in fields_of(selections, raw.fragments, self.variable_values))
