"""What can come of asking the store instead of an answer. Nobody's request fails because of it: see who catches it.

StoreError
├── StoreUnavailable     no answer was to be had
│   ├── StoreSkipped     it failed just now, so it was not asked
│   ├── StoreBusy        too much waits for it already, so it was not asked
│   ├── StoreTimedOut    no answer within the policy's time
│   ├── StoreUnreachable no connection, or it broke, or the store did not let us in
│   └── StoreUnready     it says that it cannot now: it loads, fails over, or runs a script
└── StoreRefused         it answered with an error, or with what does not fit: ours to fix

No text of the store's own is kept, for it may quote a key: only the first word of an error ("WRONGTYPE").
"""


class StoreError(Exception):
    """Root of the tree above. ``outcome`` is its name in metrics; ``detail`` is for logs, never for a client."""

    outcome = "failed"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.outcome}: {self.detail}" if self.detail else self.outcome


class StoreUnavailable(StoreError):
    """No answer was to be had."""

    outcome = "unavailable"


class StoreSkipped(StoreUnavailable):
    """It failed just now, so it was not asked: costs nothing."""

    outcome = "skipped"


class StoreBusy(StoreUnavailable):
    """Too much waits for it already, so it was not asked."""

    outcome = "busy"


class StoreTimedOut(StoreUnavailable):
    """No answer within the policy's time; whether the command took effect is not known."""

    outcome = "timed_out"


class StoreUnreachable(StoreUnavailable):
    """No connection could be made, or it broke, or the store did not let us in."""

    outcome = "unreachable"


class StoreUnready(StoreUnavailable):
    """It says that it cannot now."""

    outcome = "unready"


class StoreRefused(StoreError):
    """It answered with an error, or with what does not fit."""

    outcome = "refused"
