"""A declared call on its live backend: what every request of it needs, looked up once and not once a request."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.backends.backend import BackendState, Call


class LiveCall:
    """One call of one process. Times are seconds; the names are those of ``Call``, ``CallPolicy`` and ``Backend``."""

    __slots__ = (
        "attempt_s", "backend", "call", "channel", "coalesce", "credentials", "decode", "idempotent", "max_body_bytes",
        "method", "state",
    )  # fmt: skip

    def __init__(self, call: "Call[Any]", state: "BackendState") -> None:
        policy = call.backend.policy
        self.call = call
        self.state = state
        self.channel = state.channel
        self.backend = call.backend.name
        self.method = call.method
        self.decode = call.decode
        self.coalesce = call.coalesce
        self.idempotent = call.idempotent
        self.credentials = call.backend.credentials
        self.attempt_s = policy.attempt_timeout.total_seconds()
        self.max_body_bytes = policy.max_body_bytes
