"""What every request to a backend carries beside its target: the trace, the time left, who asks.

Owns the names and the order. Nothing of the client's own headers travels on by itself.
"""

from shared.backends.channel import Headers
from shared.resilience.deadline import HEADER
from shared.telemetry.ledger import AttemptRecord, Ledger


def outbound_headers(ledger: Ledger, record: AttemptRecord, left_ms: int, authorization: str | None) -> Headers:
    """Return the headers of one attempt; ``authorization`` is None for a backend that is not to see it."""
    headers = [
        ("accept", "application/json"),
        ("traceparent", ledger.traceparent(record.span_id)),
        (HEADER, str(left_ms)),
    ]
    if ledger.origin.tracestate:
        headers.append(("tracestate", ledger.origin.tracestate))
    if ledger.request_id:
        headers.append(("x-request-id", ledger.request_id))
    if authorization is not None:
        headers.append(("authorization", authorization))
    return tuple(headers)
