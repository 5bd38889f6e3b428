"""What a reply means: its status first, then whether its payload fits."""

from typing import Any, Final

import msgspec
from pydantic import ValidationError

from shared.backends.channel import Reply
from shared.backends.failures import failure_of_status
from shared.backends.live import LiveCall
from shared.clock import Clock
from shared.errors import BackendInvalid, CallError

OK: Final = 200
NO_CONTENT: Final = 204


class NoContent:
    """What a 204 gives: not a value, and not a failure."""


NOTHING: Final = NoContent()


def judge(live: LiveCall, reply: Reply, clock: Clock) -> tuple[Any, CallError | None]:
    """Return the value of a reply, or the error that it is."""
    if reply.status != OK:
        error: CallError | None = failure_of_status(live.backend, reply, clock.wall_s())
        if error is not None:
            return None, error
        if reply.status == NO_CONTENT:
            return NOTHING, None
    return read(live, reply.body)


def read(live: LiveCall, body: bytes) -> tuple[Any, CallError | None]:
    """Return the value of a payload, or why it is none."""
    try:
        return live.decode(body), None
    except msgspec.ValidationError as misfit:  # of its text only the place: a value may be quoted before
        _, said, place = str(misfit).rpartition(" - at ")
        return None, BackendInvalid(live.backend, f"payload does not fit at {place.strip('`') if said else '$'}")
    except ValidationError as misfit:  # its text quotes the payload, so only the count travels on
        return None, BackendInvalid(live.backend, f"payload does not fit in {misfit.error_count()} places")
    except Exception as broken:  # noqa: BLE001 - a decoder's own bug must not keep a permit and a caller waiting
        return None, BackendInvalid(live.backend, f"the decoder raised {type(broken).__name__}")
