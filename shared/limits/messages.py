"""The messages of ``envoy.service.ratelimit.v3``, as bytes: the few fields that we read, the few that we write.

Owns the wire form (protobuf, proto3), field numbers as in Envoy's ``rls.proto`` and ``ratelimit.proto``. Unknown fields
are skipped, as protobuf wants it. Tests compare it with the protobuf library's own reading.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from shared.protobuf import MalformedMessage, as_bytes, as_number, as_text, bytes_field, fields, varint_field

# Envoy's own ceiling for a whole header block, well above any descriptor; more is no request of an edge.
MAX_MESSAGE: Final = 64 * 1024
MAX_DESCRIPTORS: Final = 32

OK: Final = 1
OVER_LIMIT: Final = 2


class Descriptor(NamedTuple):
    """What one limit counts by: its entries in order, and the cost, where the descriptor names one."""

    entries: tuple[tuple[str, str], ...]
    cost: int | None


class LimitRequest(NamedTuple):
    """Domain, descriptors as they came (``read_descriptor`` reads one), and the cost of those that name none."""

    domain: str
    descriptors: tuple[bytes, ...]
    cost: int


class LimitAnswer(NamedTuple):
    """Whether the request is over a limit; of each descriptor, units left, and whole seconds until more.

    ``unjudged`` names the policies for which the store could not be asked.
    """

    over: bool
    statuses: tuple[tuple[int, int], ...]
    unjudged: tuple[str, ...]


def read_request(message: bytes) -> LimitRequest:
    """Read a RateLimitRequest. Raises MalformedMessage."""
    domain, descriptors, cost = "", [], 0
    for number, value in fields(message):
        if number == 1:
            domain = as_text(value)
        elif number == 2:  # noqa: PLR2004 - field numbers of the message, here and below
            descriptors.append(as_bytes(value))
        elif number == 3:  # noqa: PLR2004
            cost = as_number(value)
    if len(descriptors) > MAX_DESCRIPTORS:
        raise MalformedMessage(f"more than {MAX_DESCRIPTORS} descriptors")
    return LimitRequest(domain, tuple(descriptors), cost or 1)


def read_descriptor(message: bytes) -> Descriptor:
    """Read a RateLimitDescriptor. Raises MalformedMessage."""
    entries, cost = [], None
    for number, value in fields(message):
        if number == 1:
            pair = dict(fields(as_bytes(value)))
            entries.append((as_text(pair.get(1, b"")), as_text(pair.get(2, b""))))
        elif number == 3:  # noqa: PLR2004 - UInt64Value
            cost = as_number(dict(fields(as_bytes(value))).get(1, 0))
    return Descriptor(tuple(entries), cost)


def write_request(domain: str, descriptors: Sequence[Descriptor], cost: int = 0) -> bytes:
    """Write a RateLimitRequest, as an edge would."""
    parts = (bytes_field(2, write_descriptor(descriptor)) for descriptor in descriptors)
    return bytes_field(1, domain.encode()) + b"".join(parts) + (varint_field(3, cost) if cost else b"")


def write_descriptor(descriptor: Descriptor) -> bytes:
    """Write a RateLimitDescriptor."""
    entries = [
        bytes_field(
            1, bytes_field(1, key.encode()) + (bytes_field(2, value.encode(errors="surrogateescape")) if value else b"")
        )
        for key, value in descriptor.entries
    ]
    cost = (
        b"" if descriptor.cost is None else bytes_field(3, varint_field(1, descriptor.cost) if descriptor.cost else b"")
    )
    return b"".join(entries) + cost


def write_status(code: int, limit: int, left: int, reset_s: int) -> bytes:
    """Write a DescriptorStatus as field 2 of the response: verdict, units left, whole seconds until more."""
    current = varint_field(1, limit)
    status = varint_field(1, code) + bytes_field(2, current)
    if left:
        status += varint_field(3, left)
    return bytes_field(2, status + bytes_field(4, varint_field(1, reset_s) if reset_s else b""))


def write_header(name: str, value: str) -> bytes:
    """Write a HeaderValue as field 3 of the response: a header of the answer to the client."""
    return bytes_field(3, bytes_field(1, name.encode()) + bytes_field(2, value.encode()))


def write_metadata(name: str, values: Sequence[str]) -> bytes:
    """Write field 6 of the response, a Struct: one list of words, under ``name``."""
    words = b"".join(bytes_field(1, bytes_field(3, value.encode())) for value in values)
    entry = bytes_field(1, name.encode()) + bytes_field(2, bytes_field(6, words))
    return bytes_field(6, bytes_field(1, entry))


def write_code(code: int) -> bytes:
    """Write the response's own verdict, field 1."""
    return varint_field(1, code)


def read_answer(message: bytes) -> LimitAnswer:
    """Read a RateLimitResponse of a limiter of ours. Raises MalformedMessage."""
    code, statuses = 0, []
    unjudged: tuple[str, ...] = ()
    for number, value in fields(message):
        if number == 1:
            code = as_number(value)
        elif number == 2:  # noqa: PLR2004 - field numbers of the message, here and below
            statuses.append(_status(dict(fields(as_bytes(value)))))
        elif number == 6:  # noqa: PLR2004
            unjudged = _words(as_bytes(value), "unjudged")
    if code not in {OK, OVER_LIMIT}:
        raise MalformedMessage("no verdict")
    return LimitAnswer(code == OVER_LIMIT, tuple(statuses), unjudged)


def _status(status: dict[int, int | bytes]) -> tuple[int, int]:
    duration = dict(fields(as_bytes(status.get(4, b""))))
    return as_number(status.get(3, 0)), as_number(duration.get(1, 0))


def _words(struct: bytes, name: str) -> tuple[str, ...]:
    """Return the list of words that a Struct has under a name: entry, value, list, its values' texts."""
    for _, entry in fields(struct):
        pair = dict(fields(as_bytes(entry)))
        if as_text(pair.get(1, b"")) == name:
            listed = as_bytes(dict(fields(as_bytes(pair.get(2, b"")))).get(6, b""))
            return tuple(as_text(dict(fields(as_bytes(word))).get(3, b"")) for _, word in fields(listed))
    return ()
