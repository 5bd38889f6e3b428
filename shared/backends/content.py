"""What a write sends beside its target: its body, and the headers that put a condition on it.

patch = content({"displayName": "Ada"}, "application/merge-patch+json", if_match='"7"')
got = await fetch(ProfileChange, contents={"profile": patch}, user_id=...)
"""

from typing import Final, NamedTuple

from shared.backends.channel import field_lines
from shared.errors import ProblemCode, ProblemError
from shared.shape import encode

JSON: Final = "application/json"


class Content(NamedTuple):
    """A body and its header lines."""

    body: bytes
    fields: bytes


NO_CONTENT: Final = Content(b"", b"")


def content(value: object, media_type: str = JSON, **headers: str) -> Content:
    """Return a value as JSON; names of headers are written with underscores.

    Raises ProblemError(INVALID_REQUEST) when a header, which a client may have sent, would break out of its line.
    """
    fields = [("content-type", media_type), *((name.replace("_", "-"), text) for name, text in headers.items())]
    try:
        return Content(encode(value), field_lines(fields))
    except ValueError:  # half of a surrogate pair in a body, a line break or a letter beyond latin-1 in a header
        raise ProblemError(ProblemCode.INVALID_REQUEST, "The request holds what cannot be passed on.") from None
