"""What every request to a backend carries beside its target: the trace, the time left, who asks.

Owns the names and the order. Nothing of the client's own headers travels on by itself. What is put together here was
checked where it came in (``ledger.py``: ids and trace state by their grammar), so no value can break out of its
line; the credential is checked here.
"""

from shared.backends.channel import field_lines
from shared.resilience.deadline import HEADER, left_ms
from shared.telemetry.ledger import Ledger


class Outbound:
    """The header lines of one fan-out's requests: what they share is put together once."""

    __slots__ = ("_after_span", "_authorization", "_before_span")

    def __init__(self, ledger: Ledger, authorization: str | None) -> None:
        origin = ledger.origin
        self._before_span = f"accept: application/json\r\ntraceparent: 00-{origin.trace_id}-"
        after = f"-{'01' if origin.sampled else '00'}\r\n"
        if origin.tracestate:
            after += f"tracestate: {origin.tracestate}\r\n"
        if ledger.request_id:
            after += f"x-request-id: {ledger.request_id}\r\n"
        self._after_span = f"{after}{HEADER}: "
        self._authorization = authorization

    def fields(self, span_id: int, due_s: float, now_s: float, *, credentials: bool) -> bytes:
        """Return the lines of one attempt; ``credentials`` says whether its backend is to see the caller's."""
        lines = f"{self._before_span}{span_id:016x}{self._after_span}{left_ms(due_s, now_s)}\r\n".encode("latin-1")
        if credentials and self._authorization is not None:
            lines += field_lines((("authorization", self._authorization),))
        return lines
