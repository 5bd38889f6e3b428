"""An answer whose bytes are there: a Starlette response without the steps that make one out of a value."""

from starlette.responses import Response

Header = tuple[bytes, bytes]


class Written(Response):
    """Status, media type, and a body that is sent as it is. A handler that declares it can be hot (``lean.py``)."""

    def __init__(self, body: bytes, status: int, media_type: bytes, *more: Header) -> None:
        self.status_code = status
        self.body = body
        self.background = None
        self.raw_headers = [(b"content-length", b"%d" % len(body)), (b"content-type", media_type), *more]
