"""What every thing that can be asked for by itself has: an id that says of what kind it is.

``id`` is the shop's own, the same on a phone; only together with the kind it is nobody else's. ``nodeId`` is both in
one, for clients that keep a store by it (Relay's object identification, under a name of its own: in Relay's compiler,
``nodeInterfaceIdField``).
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

import strawberry

from shared.errors import ProblemCode, ProblemError

# A kind and an id, packed; more is no id of ours.
LONGEST: Final = 200


@strawberry.interface(description="A thing that can be asked for by itself: `node(nodeId:)`.")
class Node:
    """Fields of every such thing."""

    @strawberry.field(description="Its id among all things of all kinds; opaque.")
    def node_id(self) -> strawberry.ID:
        """Pack kind and id."""
        kind = type(self).__name__
        return strawberry.ID(pack(kind, self.id))  # type: ignore[attr-defined]  # every node has one


def pack(kind: str, own_id: str) -> str:
    """Return the node id of a thing."""
    return urlsafe_b64encode(f"{kind}:{own_id}".encode(errors="replace")).rstrip(b"=").decode()


def unpack(node_id: str) -> tuple[str, str]:
    """Return kind and id. Raises ProblemError(INVALID_REQUEST) for what is no node id."""
    try:
        if len(node_id) > LONGEST:
            raise ValueError  # noqa: TRY301 - all that is none is refused alike
        kind, colon, own_id = (
            urlsafe_b64decode(node_id.encode("ascii") + b"=" * (-len(node_id) % 4)).decode().partition(":")
        )
        if not colon or not own_id:
            raise ValueError  # noqa: TRY301 - same
    except ValueError:
        raise ProblemError(ProblemCode.INVALID_REQUEST, "`nodeId` is none of ours.") from None
    return kind, own_id
