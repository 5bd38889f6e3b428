"""The messages of ``envoy.service.ratelimit.v3``, as bytes: the few fields that we read, the few that we write.

Owns the wire form (protobuf, proto3), field numbers as in Envoy's ``rls.proto`` and ``ratelimit.proto``. Unknown fields
are skipped, as protobuf wants it. Tests compare it with the protobuf library's own reading.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
# Envoy's own ceiling for a whole header block, well above any descriptor; more is no request of an edge.
MAX_MESSAGE: Final = 64 * 1024
MAX_DESCRIPTORS: Final = 32

OK: Final = 1
OVER_LIMIT: Final = 2


class MalformedMessage(ValueError):
    """The bytes are no message of ours."""


class Descriptor(NamedTuple):
    """What one limit counts by: its entries in order, and the cost, where the descriptor names one."""

    entries: tuple[tuple[str, str], ...]
    cost: int | None


class LimitRequest(NamedTuple):
    """Domain, descriptors as they came (``read_descriptor`` reads one), and the cost of those that name none."""

    domain: str
    descriptors: tuple[bytes, ...]
    cost: int


def read_request(message: bytes) -> LimitRequest:
    """Read a RateLimitRequest. Raises MalformedMessage."""
    domain, descriptors, cost = "", [], 0
    for number, value in _fields(message):
        if number == 1:
            domain = _text(value)
        elif number == 2:  # noqa: PLR2004 - field numbers of the message, here and below
            descriptors.append(_bytes(value))
        elif number == 3:  # noqa: PLR2004
            cost = _number(value)
    if len(descriptors) > MAX_DESCRIPTORS:
        raise MalformedMessage(f"more than {MAX_DESCRIPTORS} descriptors")
    return LimitRequest(domain, tuple(descriptors), cost or 1)


def read_descriptor(message: bytes) -> Descriptor:
    """Read a RateLimitDescriptor. Raises MalformedMessage."""
    entries, cost = [], None
    for number, value in _fields(message):
        if number == 1:
            pair = dict(_fields(_bytes(value)))
            entries.append((_text(pair.get(1, b"")), _text(pair.get(2, b""))))
        elif number == 3:  # noqa: PLR2004 - UInt64Value
            cost = _number(dict(_fields(_bytes(value))).get(1, 0))
    return Descriptor(tuple(entries), cost)


def write_request(domain: str, descriptors: Sequence[Descriptor], cost: int = 0) -> bytes:
    """Write a RateLimitRequest, as an edge would."""
    parts = (_field(2, write_descriptor(descriptor)) for descriptor in descriptors)
    return _field(1, domain.encode()) + b"".join(parts) + (_integer(3, cost) if cost else b"")


def write_descriptor(descriptor: Descriptor) -> bytes:
    """Write a RateLimitDescriptor."""
    entries = [
        _field(1, _field(1, key.encode()) + (_field(2, value.encode(errors="surrogateescape")) if value else b""))
        for key, value in descriptor.entries
    ]
    cost = b"" if descriptor.cost is None else _field(3, _integer(1, descriptor.cost) if descriptor.cost else b"")
    return b"".join(entries) + cost


def write_status(code: int, limit: int, left: int, reset_s: int) -> bytes:
    """Write a DescriptorStatus as field 2 of the response: verdict, units left, whole seconds until more."""
    current = _integer(1, limit)
    status = _integer(1, code) + _field(2, current)
    if left:
        status += _integer(3, left)
    return _field(2, status + _field(4, _integer(1, reset_s) if reset_s else b""))


def write_header(name: str, value: str) -> bytes:
    """Write a HeaderValue as field 3 of the response: a header of the answer to the client."""
    return _field(3, _field(1, name.encode()) + _field(2, value.encode()))


def write_metadata(name: str, values: Sequence[str]) -> bytes:
    """Write field 6 of the response, a Struct: one list of words, under ``name``."""
    words = b"".join(_field(1, _field(3, value.encode())) for value in values)
    entry = _field(1, name.encode()) + _field(2, _field(6, words))
    return _field(6, _field(1, entry))


def write_code(code: int) -> bytes:
    """Write the response's own verdict, field 1."""
    return _integer(1, code)


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    at, end = 0, len(message)
    while at < end:
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == LENGTH:
            length, at = _varint(message, at)
            if at + length > end:
                raise MalformedMessage("a field reaches beyond the message")
            yield tag >> 3, message[at : at + length]
            at += length
        elif kind == VARINT:
            value, at = _varint(message, at)
            yield tag >> 3, value
        elif kind in (FIXED64, FIXED32):  # none of ours; skipped
            at += 8 if kind == FIXED64 else 4
        else:
            raise MalformedMessage(f"wire type {kind}")
    if at != end:
        raise MalformedMessage("the last field is cut off")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(message) or shift > 63:  # noqa: PLR2004 - 64 bits in groups of seven
            raise MalformedMessage("a varint without an end")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the bit that says "more"
            return value, at
        shift += 7


def _field(number: int, value: bytes) -> bytes:
    return _encoded(number << 3 | LENGTH) + _encoded(len(value)) + value


def _integer(number: int, value: int) -> bytes:
    return _encoded(number << 3) + _encoded(value)


def _encoded(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise MalformedMessage("a number where a message belongs")
    return value


def _number(value: int | bytes) -> int:
    if not isinstance(value, int):
        raise MalformedMessage("bytes where a number belongs")
    return value


def _text(value: int | bytes) -> str:
    # A key part may be a header's bytes, whatever they are. Refused here, they would go uncounted.
    return _bytes(value).decode(errors="surrogateescape")
