"""How moments and money are written: as in REST, text that no client rounds."""

from datetime import datetime
from typing import Final

import strawberry


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


DATE_TIME: Final = strawberry.scalar(
    name="DateTime", description="A moment with its offset (RFC 3339): `2026-11-24T22:00:00Z`.", serialize=_rfc3339
)
DECIMAL: Final = strawberry.scalar(
    name="Decimal", description="A decimal number as text, in plain notation: `12.30`.", serialize=str
)
