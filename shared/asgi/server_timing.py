"""Server-Timing (W3C): how long each section took, for callers that may know.

Owns who may: a caller whose token has the scope ``FRONTAGE_TIMING_SCOPE`` and who asks with ``X-Server-Timing``. To all
others how long things take behind us is nobody's business, and a request that does not ask pays nothing.
"""

from typing import Final

from shared.asgi.context import RequestContext
from shared.clock import Clock

ASKED: Final = b"x-server-timing"
NAME: Final = b"server-timing"


def timing_of(context: RequestContext) -> list[tuple[bytes, bytes]]:
    """Return the header, or nothing for a caller that may not know."""
    if context.user is None or context.state.timing_scope not in context.user.scopes:
        return []
    clock: Clock = context.state.clock
    ledger = context.ledger
    parts = [f"total;dur={(clock.now_s() - ledger.started_s) * 1000:.1f}"]
    parts += [
        f'{one.name};dur={(one.ended_s - one.started_s) * 1000:.1f};desc="{one.outcome}"' for one in ledger.sections
    ]
    return [(NAME, ", ".join(parts).encode())]
