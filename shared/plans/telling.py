"""What resolvers are told: graphql-core's own ``info``, whose path is made when somebody asks for it.

Nearly no resolver does, and a path has a part for every level: of what an ``info`` costs it was the most. Where the
path stands, the tuple has the place.
"""

from functools import cache
from typing import Any, Final

from graphql import GraphQLResolveInfo
from graphql.pyutils import Path

from shared.plans.place import path_to

PATH: Final = GraphQLResolveInfo._fields.index("path")
NO_PATH: Final = Path(None, "", None)


@cache
def told_of(kind: type[Any]) -> type[Any]:
    """Return ``kind`` with a path that is made of the place in it."""

    def path(info: Any) -> Path | None:
        return path_to(info[PATH])

    return type(kind.__name__, (kind,), {"__slots__": (), "path": property(path), "__doc__": kind.__doc__})
