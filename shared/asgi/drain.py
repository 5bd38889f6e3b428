"""Whether the service is on its way out. Set by ``serve`` on the first signal, read by readiness."""

from datetime import timedelta


class Drain:
    """One flag, and how long the service still accepts calls once it is set."""

    __slots__ = ("delay", "started")

    def __init__(self, delay: timedelta) -> None:
        self.delay = delay
        self.started = False
