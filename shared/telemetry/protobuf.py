"""As much of protobuf's wire format as a span needs (protobuf.dev/programming-guides/encoding)."""

from typing import Final

VARINT, FIXED64, LENGTH = 0, 1, 2
# Seven bits a byte; the eighth says that more follow.
MORE: Final = 0x80
WORD: Final = 2**64 - 1


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
