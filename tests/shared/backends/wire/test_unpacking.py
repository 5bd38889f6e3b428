"""Content codings undone within bounds, byte by byte if need be."""

import gzip
import itertools
import tracemalloc
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import brotli
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from shared.backends.wire.unpacking import FREE, PIECE, UnfitBodyError, Unpacking

PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "br": partial(brotli.compress, quality=4),
    "zstd": zstd.compress,
}
BOMB = bytes(32 * 1024 * 1024)

every_coding = pytest.mark.parametrize("coding", list(PACK))


def unpack(coding: str, parts: list[bytes], **bounds: Any) -> bytes:
    unpacking = Unpacking(coding, **bounds)
    body = b"".join(itertools.chain.from_iterable(unpacking.pieces(part) for part in parts))
    unpacking.finish()
    return body


@every_coding
@given(body=st.binary(max_size=2000), cuts=st.sets(st.integers(0, 2000), max_size=8))
def test_whatever_was_packed_comes_out_however_it_was_cut(coding: str, body: bytes, cuts: set[int]) -> None:
    """The parts in which a body arrives are the network's choice."""
    packed = PACK[coding](body)
    edges = [0, *sorted(cut for cut in cuts if cut < len(packed)), len(packed)]

    assert unpack(coding, [packed[start:end] for start, end in itertools.pairwise(edges)]) == body


@every_coding
def test_a_large_body_comes_in_pieces(coding: str) -> None:
    """A megabyte in one part: no piece is much larger than the others."""
    body = b"".join(b'{"id":%d,"name":"order %d"},' % (number, number * 7919) for number in range(30_000))

    pieces = list(Unpacking(coding).pieces(PACK[coding](body)))

    assert b"".join(pieces) == body
    assert max(map(len, pieces)) <= 2 * PIECE


@pytest.fixture(scope="module")
def bombs() -> dict[str, bytes]:
    return {coding: pack(BOMB) for coding, pack in PACK.items()}


@every_coding
@pytest.mark.parametrize("bounds", [{}, {"limit": 1 << 20}, {"limit": 1 << 20, "max_ratio": 10**9}], ids=str)
def test_a_bomb_is_noticed_before_it_is_memory(coding: str, bounds: dict[str, int], bombs: dict[str, bytes]) -> None:
    """Some kilobytes that stand for 32 MiB: two at most are given out, whichever bound they meet first."""
    given: list[int] = []
    tracemalloc.start()
    try:
        with pytest.raises(UnfitBodyError, match=r"unpacks to over|answered more than"):
            given.extend(map(len, Unpacking(coding, **bounds).pieces(bombs[coding])))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert sum(given) <= 2 * (1 << 20)
    assert peak <= 1 << 20


@every_coding
def test_a_small_body_may_be_as_regular_as_it_likes(coding: str) -> None:
    """A page of blanks is no bomb."""
    blanks = b" " * FREE

    assert unpack(coding, [PACK[coding](blanks)]) == blanks


@every_coding
def test_the_limit_is_exact(coding: str) -> None:
    """Of what is handed out, not of what came."""
    packed = PACK[coding](b"x" * 1000)

    assert len(unpack(coding, [packed], limit=1000)) == 1000
    with pytest.raises(UnfitBodyError, match="more than 999 bytes"):
        unpack(coding, [packed], limit=999)


@every_coding
def test_a_body_that_was_cut_short_is_told_at_its_end(coding: str) -> None:
    """Its length was right and its coding is not whole: never half a document."""
    packed = PACK[coding](b'{"orders": [1, 2, 3]}' * 50)

    with pytest.raises(UnfitBodyError, match="cut short"):
        unpack(coding, [packed[:-3]])


@every_coding
@pytest.mark.parametrize("together", [True, False])
def test_what_follows_the_body_is_not_passed_over(coding: str, together: bool) -> None:
    """Two documents in one body are one too many."""
    packed = PACK[coding](b"[]")
    parts = [packed + packed] if together else [packed, packed]

    with pytest.raises(UnfitBodyError):
        unpack(coding, parts)


@every_coding
def test_what_is_not_what_it_says_is_refused(coding: str) -> None:
    """Plain text that claims to be packed."""
    with pytest.raises(UnfitBodyError, match=f"not {coding}"):
        unpack(coding, [b'{"a": "plain text, and long enough to be sure of it"}' * 4])


@pytest.mark.parametrize("coding", ["deflate", "compress", "gzip, br", "br,br", "aes128gcm"])
def test_a_coding_that_nobody_asked_for_is_refused(coding: str) -> None:
    """Several at once, too."""
    with pytest.raises(UnfitBodyError, match="nobody asked for"):
        Unpacking(coding)


def test_a_window_that_would_take_our_memory_is_refused() -> None:
    """RFC 9659: 8 MiB is the most that zstd over HTTP may ask for."""
    wide = zstd.compress(b"x" * 100, options={zstd.CompressionParameter.window_log: 27})
    streamed = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    unsized = streamed.compress(b"x" * 1000) + streamed.flush()

    assert unpack("zstd", [wide]) == b"x" * 100  # so small that its frame needs no such window
    with pytest.raises(UnfitBodyError, match="not zstd"):
        unpack("zstd", [unsized])


@every_coding
def test_nothing_at_all_is_an_empty_body(coding: str) -> None:
    """As some servers answer a HEAD, or an error."""
    assert unpack(coding, []) == b""


def test_old_gzip_is_gzip() -> None:
    """RFC 9110 §8.4.1.3."""
    packer = zlib.compressobj(wbits=31)

    assert unpack("x-gzip", [packer.compress(b"[]") + packer.flush()]) == b"[]"
