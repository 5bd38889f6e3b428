"""``degraded`` in the graph: a field of the type that has the sections, because ``extensions`` cannot be typed."""

from typing import Final

import strawberry
from msgspec.structs import asdict

from bffs.web.costs import ListSize
from shared.backends import sections
from shared.errors import Reason, Source

strawberry.enum(Reason, description="Why a section was not served fresh.")
strawberry.enum(Source, description="What stands in: an older value, the declared default, or nothing (null).")

# Gaps are made of what is known anyway: a list of them costs nothing worth counting.
FEW_GAPS: Final = ListSize(assumed_size=1)


@strawberry.type(description="One section that was not served fresh.")
class Degraded:
    """The graph's form of ``shared.backends.sections.Degraded``."""

    section: str = strawberry.field(description="Its name; the fields that it fills name it.")
    reason: Reason = strawberry.field(description="Why.")
    source: Source = strawberry.field(description="What stands in.")
    age_seconds: int | None = strawberry.field(description="Age of a stale value.")
    retry_after_seconds: int | None = strawberry.field(description="When to ask again; null: no use in asking.")


def gaps(found: tuple[sections.Degraded, ...]) -> list[Degraded]:
    """Say the gaps in the graph's words."""
    return [Degraded(**asdict(gap)) for gap in found]
