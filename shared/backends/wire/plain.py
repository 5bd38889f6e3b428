"""Recognises the plain answer: whole, in one piece, with a length, from a backend that keeps its connection.

Owns a short way to what ``reading.py`` would find, for nine answers in ten. It decides nothing by itself: httptools
judges every byte here, too, and where the least is odd the answer is read again by ``reading.py``, from its beginning.
"""

from typing import Final

import httptools

from shared.backends.wire.message import MAX_HEADERS, WireReply
from shared.backends.wire.reading import MAX_HEAD_BYTES

LENGTH: Final = b"\r\ncontent-length:"
CODING: Final = b"\r\ntransfer-encoding:"
# Before 200 comes another answer; after these comes no body, whatever a length says (RFC 9112 §6.3).
FIRST_FINAL: Final = 200
BODILESS: Final = frozenset({0, 204, 304})  # 0 is no answer at all


class PlainAnswers:
    """What judges the answers of one connection, one after the other."""

    __slots__ = ("_complete", "_lasting", "_parser")

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._complete = 0
        self._lasting = False

    def on_message_complete(self) -> None:
        """Count the answers in one piece (httptools' only callback here), and note if another may follow."""
        self._complete += 1
        self._lasting = self._parser.should_keep_alive()

    def read(self, data: bytes, limit: int) -> WireReply | None:
        """Return the answer that ``data`` is, neither less nor more; None if it is not plain."""
        end = data.find(b"\r\n\r\n")
        if 0 < end <= MAX_HEAD_BYTES and data.startswith(b"HTTP/1.1 "):
            fields = data[: end + 2].lower()
            at = fields.find(LENGTH) + len(LENGTH)
            # An end of line that is only half of one might end the head for the parser, and not for ``find``.
            lines = fields.count(b"\n")
            if at >= len(LENGTH) and CODING not in fields and fields.count(b"\r\n") == lines <= MAX_HEADERS:
                status = self._judge(data)
                # Digits only, and only once: else the parser refused.
                length = int(fields[at : fields.index(b"\r", at)]) if status else 0
                if len(data) == end + 4 + length and length <= limit and status not in BODILESS:
                    return WireReply(status, data[end + 4 :], data[:end])
        self._begin()  # what the parser has seen is not where the next answer begins
        return None

    def _judge(self, data: bytes) -> int:
        """Return the status if this is one final answer, whole, and another may follow; else 0."""
        self._complete = 0
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            return 0
        status: int = self._parser.get_status_code()
        return status if self._complete == 1 and self._lasting and status >= FIRST_FINAL else 0
