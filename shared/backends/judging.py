"""What a reply means: its status first, then whether its payload fits."""

from typing import Any, Final

from pydantic import ValidationError

from shared.backends.backend import AnyCall
from shared.backends.channel import Reply
from shared.backends.failures import failure_of_status
from shared.errors import BackendInvalid, CallError

NO_CONTENT: Final = 204


class NoContent:
    """What a 204 gives: not a value, and not a failure."""


NOTHING: Final = NoContent()


def judge(call: AnyCall, reply: Reply, wall_s: float) -> tuple[Any, CallError | None]:
    """Return the value of a reply, or the error that it is."""
    backend = call.backend.name
    error: CallError | None = failure_of_status(backend, reply, wall_s)
    if error is not None:
        return None, error
    if reply.status == NO_CONTENT:
        return NOTHING, None
    return read(call, reply.body)


def read(call: AnyCall, body: bytes) -> tuple[Any, CallError | None]:
    """Return the value of a payload, or why it is none."""
    try:
        return call.decode(body), None
    except ValidationError as misfit:  # its text quotes the payload, so only the count travels on
        return None, BackendInvalid(call.backend.name, f"payload does not fit in {misfit.error_count()} places")
    except Exception as broken:  # noqa: BLE001 - a decoder's own bug must not keep a permit and a caller waiting
        return None, BackendInvalid(call.backend.name, f"the decoder raised {type(broken).__name__}")
