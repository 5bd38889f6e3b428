"""As much of protobuf's wire format as spans and Envoy's questions need (protobuf.dev/programming-guides/encoding).

Unknown fields are passed over, as protobuf wants it. What a message means, its own module knows.
"""

from collections.abc import Iterator
from typing import Final

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
# Seven bits a byte; the eighth says that more follow.
MORE: Final = 0x80
WORD: Final = 2**64 - 1
LONGEST_VARINT: Final = 63  # 64 bits in groups of seven: no shift beyond


class MalformedMessage(ValueError):
    """The bytes are no message of ours."""


def varint(value: int) -> bytes:
    """Encode a number below 2**64; negative ones in two's complement, as ``int64`` has them."""
    if 0 <= value < MORE:  # nearly always
        return bytes((value,))
    value &= WORD
    parts = bytearray()
    while value >= MORE:
        parts.append(value & (MORE - 1) | MORE)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def varint_field(number: int, value: int) -> bytes:
    """Encode a field that is a number, a bool or an enum."""
    return varint(number << 3 | VARINT) + varint(value)


def fixed64_field(number: int, value: int) -> bytes:
    """Encode a field of eight bytes."""
    return varint(number << 3 | FIXED64) + value.to_bytes(8, "little")


def bytes_field(number: int, value: bytes) -> bytes:
    """Encode a field that is text, bytes or a message."""
    return varint(number << 3 | LENGTH) + varint(len(value)) + value


def key_value(key: str, value: str | bool | int) -> bytes:
    """Encode OTLP's ``KeyValue``; numbers must fit 64 bits."""
    if isinstance(value, bool):
        inner = varint_field(2, value)
    elif isinstance(value, int):
        inner = varint_field(3, value)
    else:
        inner = bytes_field(1, value.encode())
    return bytes_field(1, key.encode()) + bytes_field(2, inner)


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value of every field, in order. Raises MalformedMessage."""
    at, end = 0, len(message)
    while at < end:
        tag, at = read_varint(message, at)
        kind = tag & 7
        if kind == LENGTH:
            length, at = read_varint(message, at)
            if at + length > end:
                raise MalformedMessage("a field reaches beyond the message")
            yield tag >> 3, message[at : at + length]
            at += length
        elif kind == VARINT:
            value, at = read_varint(message, at)
            yield tag >> 3, value
        elif kind in (FIXED64, FIXED32):  # none of ours; skipped
            at += 8 if kind == FIXED64 else 4
        else:
            raise MalformedMessage(f"wire type {kind}")
    if at != end:
        raise MalformedMessage("the last field is cut off")


def read_varint(message: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins at ``at``, and where the next thing begins."""
    value = shift = 0
    while True:
        if at >= len(message) or shift > LONGEST_VARINT:
            raise MalformedMessage("a varint without an end")
        byte = message[at]
        at += 1
        value |= (byte & (MORE - 1)) << shift
        if byte < MORE:
            return value, at
        shift += 7


def as_bytes(value: int | bytes) -> bytes:
    """Take a field as text, bytes or a message."""
    if isinstance(value, int):
        raise MalformedMessage("a number where a message belongs")
    return value


def as_number(value: int | bytes) -> int:
    """Take a field as a number."""
    if not isinstance(value, int):
        raise MalformedMessage("bytes where a number belongs")
    return value


def as_text(value: int | bytes) -> str:
    """Take a field as text. It may be a header's bytes, whatever they are: what is not UTF-8 is kept."""
    return as_bytes(value).decode(errors="surrogateescape")
