"""What one request carries with it, in one slotted object; handlers ask for it as ``Context``.

Opened by ``observe`` from the request's headers, given its deadline and its priority by ``deadline``, its budget with
its first fan-out; read by dependencies and by every fan-out of the request. ASGI finds it at ``scope["frontage"]``.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Final

import msgspec
from fastapi import Depends, Request
from starlette.datastructures import State
from starlette.types import Scope

from shared.identity.principal import Principal
from shared.resilience.budget import RequestBudget
from shared.resilience.deadline import Deadline
from shared.resilience.priority import Priority
from shared.telemetry.ledger import Ledger

KEY = "frontage"
Fields = Mapping[bytes, bytes]
CREDENTIALS: Final = frozenset({b"authorization", b"x-api-key", b"x-internal-token"})
NO_FIELDS: Final[Fields] = MappingProxyType({})


# Until its deadline is opened, a request has no time.
NO_TIME: Final = Deadline(0.0)


class RequestContext(msgspec.Struct, eq=False):
    """The headers that stand once, the query, the app's state, ledger, deadline, priority and budget of one request.

    ``body`` is there where the server held it back until it was whole; else who needs it reads it.
    ``version`` is that of the one thing that the answer shows, where its handler knows it: part of the entity tag.
    ``told`` are headers that the answer is to carry, ``user`` whom it is for, once that is known.
    """

    ledger: Ledger
    deadline: Deadline = NO_TIME
    fields: Fields = NO_FIELDS
    state: State = msgspec.field(default_factory=State)
    priority: Priority = Priority.USER
    budget: RequestBudget | None = None
    body: bytes | None = None
    query: bytes = b""
    version: str | None = None
    user: Principal | None = None
    told: tuple[tuple[bytes, bytes], ...] = ()

    def header(self, name: bytes) -> str | None:
        """Return a header's value when it stands exactly once in the request; two of a kind are as good as none."""
        return text_of(self.fields, name)


def context_of(scope: Scope) -> RequestContext:
    """Return the request's context; ``install_defaults`` puts it there for every HTTP request."""
    context: RequestContext = scope[KEY]
    return context


def text_of(fields: Fields, name: bytes) -> str | None:
    """Return a header's value as text."""
    value = fields.get(name)
    return None if value is None else value.decode("latin-1")


def once(fields: Iterable[tuple[bytes, bytes]]) -> Fields:
    """Return the headers that stand exactly once, by their lower-case names; and credentials, however often.

    A credential that stands twice comes joined by a comma (RFC 9110 §5.3), which none has in it: it must not pass for
    none at all, or the request could be anonymous here and somebody's elsewhere.
    """
    listed = list(fields)
    found = dict(listed)
    if len(found) != len(listed):
        names = [name for name, _ in listed]
        single = {name: value for name, value in listed if names.count(name) == 1}
        repeated = {name: b", ".join(value for one, value in listed if one == name) for name in names}
        return single | {name: value for name, value in repeated.items() if name in CREDENTIALS}
    return found


def header(scope: Scope, name: bytes) -> str | None:
    """Return a header's value when it stands exactly once in the request, also where no context was opened."""
    return text_of(once(scope["headers"]), name)


async def request_context(request: Request) -> RequestContext:
    """Give a handler its request's context; a hot route that asks for no more than this never makes a ``Request``."""
    return context_of(request.scope)


Context = Annotated[RequestContext, Depends(request_context)]
