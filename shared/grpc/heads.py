"""Header blocks: HPACK (RFC 7541), and the three headers of a gRPC request that we need.

Owns the reading. We announce a header table of size 0. Once the peer has taken note, a block depends on nothing but
itself: then ``_quickly`` walks it and decodes only what we ask for, each encoded word once in its life. Until then, and
for whatever it does not know, the hpack library reads the block.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from hpack import Decoder, HPACKError, OversizedHeaderListError
from hpack.huffman_table import decode_huffman
from hpack.table import HeaderTable

from shared.grpc.frames import COMPRESSION_ERROR, ENHANCE_YOUR_CALM, ConnectionFault

# A gRPC request of an edge has ten headers, half a kilobyte.
MAX_BLOCK: Final = 16 * 1024
MAX_LIST: Final = 32 * 1024
# Words as encoded, decoded once: names, our paths and time-outs. What varies (trace ids) is not looked at.
MAX_WORDS: Final = 4096

_STATIC: Final = HeaderTable.STATIC_TABLE
_WANTED: Final = frozenset({b":path", b":method", b"content-type", b"grpc-timeout", b"grpc-encoding"})
_UNITS_S: Final = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}


class Head(NamedTuple):
    """What a request says before its message. ``timeout_s`` is the caller's patience, if it named it."""

    path: bytes
    grpc: bool
    timeout_s: float | None


class HeadReader:
    """The reading end of one connection's header compression."""

    def __init__(self) -> None:
        self._decoder = Decoder(max_header_list_size=MAX_LIST)
        self._words: dict[bytes, bytes] = {}
        self._stateless = False

    def settings_known(self) -> None:
        """Hold the peer to our table size of 0, from its acknowledgement on."""
        self._decoder.max_allowed_table_size = 0

    def read(self, block: bytes) -> Head:
        """Read a block. Raises ConnectionFault: after a bad one, no other can be read."""
        if self._stateless:
            try:
                return _head(dict(self._quickly(block)))
            except (_Unfamiliar, IndexError):
                pass
        try:
            headers = {bytes(name): bytes(value) for name, value in self._decoder.decode(block, raw=True)}
        except HPACKError as error:
            code = ENHANCE_YOUR_CALM if isinstance(error, OversizedHeaderListError) else COMPRESSION_ERROR
            raise ConnectionFault(code, "unreadable header block") from error
        self._stateless = self._decoder.header_table_size == 0 == self._decoder.max_allowed_table_size
        return _head(headers)

    def _quickly(self, block: bytes) -> Iterator[tuple[bytes, bytes]]:
        at, end = 0, len(block)
        while at < end:
            first = block[at]
            if first >= 0x80:  # noqa: PLR2004 - §6.1: indexed
                index, at = _integer(block, at, 0x7F)
                yield _static(index)
                continue
            if 0x20 <= first < 0x40:  # noqa: PLR2004 - §6.3: a table size
                raise _Unfamiliar
            index, at = _integer(block, at, 0x3F if first >= 0x40 else 0x0F)  # noqa: PLR2004 - §6.2: literal
            if index:
                name = _static(index)[0]
            else:
                name, at = self._word(block, at)
            length, start = _integer(block, at, 0x7F)
            if name in _WANTED:
                value, at = self._word(block, at)
                yield name, value
            else:
                at = start + length
        if at > end:
            raise _Unfamiliar

    def _word(self, block: bytes, at: int) -> tuple[bytes, int]:
        length, start = _integer(block, at, 0x7F)
        encoded = block[at : start + length]
        if start + length > len(block):
            raise _Unfamiliar
        word = self._words.get(encoded)
        if word is None:
            raw = block[start : start + length]
            try:
                word = bytes(decode_huffman(raw)) if encoded and encoded[0] & 0x80 else raw
            except HPACKError:
                raise _Unfamiliar from None
            if len(self._words) >= MAX_WORDS:
                self._words.clear()
            self._words[encoded] = word
        return word, start + length


class _Unfamiliar(Exception):
    """Not for the quick walk."""


def _static(index: int) -> tuple[bytes, bytes]:
    if not 0 < index <= len(_STATIC):
        raise _Unfamiliar
    return _STATIC[index - 1]


def _integer(block: bytes, at: int, prefix: int) -> tuple[int, int]:
    """Read an integer (§5.1) whose first byte keeps it in ``prefix``; return it and where the next thing starts."""
    value = block[at] & prefix
    at += 1
    if value < prefix:
        return value, at
    shift = 0
    while True:
        byte = block[at]
        at += 1
        value += (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the bit that says "more"
            return value, at
        shift += 7
        if shift > 21:  # noqa: PLR2004 - longer than any block
            raise _Unfamiliar


def _head(headers: dict[bytes, bytes]) -> Head:
    grpc = (
        headers.get(b":method") == b"POST"
        and headers.get(b"content-type", b"").startswith(b"application/grpc")
        and headers.get(b"grpc-encoding", b"identity") == b"identity"
    )
    return Head(headers.get(b":path", b""), grpc, _seconds(headers.get(b"grpc-timeout", b"")))


def _seconds(text: bytes) -> float | None:
    """Read a grpc-timeout: up to eight digits and a unit. Anything else names none."""
    digits, unit = text[:-1], text[-1:]
    if unit in _UNITS_S and digits.isdigit() and len(digits) <= 8:  # noqa: PLR2004 - gRPC over HTTP/2, "Requests"
        return int(digits) * _UNITS_S[unit]
    return None
