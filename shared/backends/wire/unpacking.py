"""Content codings undone, piece by piece: gzip, br and zstd, within a size and a ratio.

Owns the decoders, one foreign library each. No step gives more than ``PIECE`` bytes, so a few bytes that stand for
gigabytes (a decompression bomb, CWE-409) are noticed before they are memory.
"""

import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Final, Protocol

import brotli  # type: ignore[import-untyped]  # ships no types

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIECE: Final = 64 * 1024
BLOCK: Final = 16 * 1024  # taken at once: the ratio holds for every stretch of a body, not only for all of it
# JSON of like rows packs 10 to 40 times, a page of blanks up to 1,000: beyond that, for more than a piece or two, it is
# no document that anybody would send.
MAX_RATIO: Final = 100
FREE: Final = 4 * PIECE

# What a backend is offered. Deflate is left out: half of the world means zlib by it (RFC 9110 §8.4.1.2).
OFFERED: Final = "br, zstd, gzip"


class UnfitBodyError(ValueError):
    """A body that is not what its coding says, or too much of it."""


class _Decoder(Protocol):
    def step(self, data: bytes) -> bytes:
        """Take more (or nothing, to be given the rest); return up to about a piece."""

    @property
    def ended(self) -> bool:
        """Whether the packed body is whole."""


class _Gzip:
    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    def step(self, data: bytes) -> bytes:
        if (self._zlib.eof and data) or self._zlib.unused_data:
            raise UnfitBodyError("answered with more than its gzip body")
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, PIECE)

    @property
    def ended(self) -> bool:
        return self._zlib.eof


class _Brotli:
    def __init__(self) -> None:
        self._brotli = brotli.Decompressor()

    def step(self, data: bytes) -> bytes:
        if self._brotli.is_finished():
            if data:
                raise UnfitBodyError("answered with more than its br body")
            return b""
        return bytes(self._brotli.process(data, output_buffer_limit=PIECE))

    @property
    def ended(self) -> bool:
        return bool(self._brotli.is_finished())


class _Zstd:
    def __init__(self) -> None:
        # RFC 9659: a window over 8 MiB may be refused, so that nobody decides about our memory.
        self._zstd = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: 23})

    def step(self, data: bytes) -> bytes:
        if self._zstd.eof:
            if data or self._zstd.unused_data:
                raise UnfitBodyError("answered with more than its zstd body")
            return b""
        return self._zstd.decompress(data, PIECE)

    @property
    def ended(self) -> bool:
        return self._zstd.eof


DECODERS: Final[dict[str, Callable[[], _Decoder]]] = {
    "gzip": _Gzip, "x-gzip": _Gzip, "br": _Brotli, "zstd": _Zstd,
}  # fmt: skip


class Unpacking:
    """One body on its way out of its coding."""

    def __init__(self, coding: str, limit: int | None = None, max_ratio: int = MAX_RATIO) -> None:
        """Raise UnfitBodyError for a coding that nobody asked for, or several of them."""
        if (decoder := DECODERS.get(coding)) is None:
            raise UnfitBodyError("answered in a content coding nobody asked for")
        self._decoder = decoder()
        self._coding = coding
        self._limit = limit
        self._max_ratio = max_ratio
        self._taken = 0
        self._given = 0

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield what a part of the packed body stands for. Raises UnfitBodyError as soon as it is wrong or too much."""
        try:
            for start in range(0, len(data), BLOCK):
                block = data[start : start + BLOCK]
                self._taken += len(block)
                while piece := self._decoder.step(block):
                    self._count(piece)
                    yield piece
                    block = b""
        except (zlib.error, brotli.error, zstd.ZstdError):
            raise UnfitBodyError(f"answered what is not {self._coding}") from None

    def _count(self, piece: bytes) -> None:
        self._given += len(piece)
        if self._limit is not None and self._given > self._limit:
            raise UnfitBodyError(f"answered more than {self._limit} bytes")
        if self._given > FREE and self._given > self._taken * self._max_ratio:
            raise UnfitBodyError(f"answered {self._coding} that unpacks to over {self._max_ratio} times its size")

    def finish(self) -> None:
        """Raise UnfitBodyError when the packed body was cut short; one that is empty altogether is just empty."""
        if self._taken and not self._decoder.ended:
            raise UnfitBodyError(f"answered {self._coding} that was cut short")
