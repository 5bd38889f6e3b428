"""The messages of ``envoy.service.auth.v3``, as bytes: the few fields that we read, the few that we write.

Owns the wire form (protobuf, proto3), field numbers as in ``external_auth.proto`` and ``attribute_context.proto``.
Tests compare it with the protobuf library's own reading.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from shared.protobuf import as_bytes, as_text, bytes_field, fields, varint_field

# google.rpc.Code.
OK, UNAUTHENTICATED = 0, 16
# HeaderValueOption.HeaderAppendAction: in place of whatever stands there.
OVERWRITE: Final = 2

Headers = Iterable[tuple[str, str]]


class Question(NamedTuple):
    """What Envoy asks: the two headers that it shows us, by lower-case names, and the route's policy."""

    headers: dict[str, str]
    context: dict[str, str]


def read_question(message: bytes) -> Question:
    """Read a CheckRequest. Raises MalformedMessage."""
    attributes = _member(message, 1)
    http = _member(_member(attributes, 4), 2)
    return Question(_map(http, 3), _map(attributes, 10))


def write_question(headers: Mapping[str, str], context: Mapping[str, str]) -> bytes:
    """Write a CheckRequest, as an edge would."""
    http = b"".join(bytes_field(3, _pair(name, value)) for name, value in headers.items())
    extensions = b"".join(bytes_field(10, _pair(name, value)) for name, value in context.items())
    return bytes_field(1, bytes_field(4, bytes_field(2, http)) + extensions)


def write_pass(
    metadata: Mapping[str, str], *, upstream: Headers = (), removed: Iterable[str] = (), downstream: Headers = ()
) -> bytes:
    """Write the CheckResponse that lets a request pass.

    ``upstream``: headers that it gets, ``removed`` those that it loses, ``downstream`` those that its answer gets.
    ``metadata``: what later filters may know of it.
    """
    ok = b"".join(
        [
            *(bytes_field(2, _option(name, value)) for name, value in upstream),
            *(bytes_field(5, name.encode()) for name in removed),
            *(bytes_field(6, _option(name, value)) for name, value in downstream),
        ]
    )
    return bytes_field(1, varint_field(1, OK)) + bytes_field(3, ok) + bytes_field(4, _struct(metadata))


def write_refusal(status: int, detail: str, headers: Headers) -> bytes:
    """Write the CheckResponse that refuses a request; the edge makes a problem of it."""
    options = b"".join(bytes_field(2, _option(name, value)) for name, value in headers)
    denied = bytes_field(1, varint_field(1, status)) + options + bytes_field(3, detail.encode())
    return bytes_field(1, varint_field(1, UNAUTHENTICATED)) + bytes_field(2, denied)


def _member(message: bytes, wanted: int) -> bytes:
    """Return the last of the members with that number (proto3's rule), or nothing."""
    found = b""
    for number, value in fields(message):
        if number == wanted:
            found = as_bytes(value)
    return found


def _map(message: bytes, wanted: int) -> dict[str, str]:
    pairs = (dict(fields(as_bytes(value))) for number, value in fields(message) if number == wanted)
    return {as_text(pair.get(1, b"")): as_text(pair.get(2, b"")) for pair in pairs}


def _pair(key: str, value: str) -> bytes:
    return bytes_field(1, key.encode()) + bytes_field(2, value.encode(errors="surrogateescape"))


def _option(name: str, value: str) -> bytes:
    return bytes_field(1, _pair(name, value)) + varint_field(3, OVERWRITE)


def _struct(members: Mapping[str, str]) -> bytes:
    """Write a Struct of words."""
    return b"".join(
        bytes_field(1, bytes_field(1, name.encode()) + bytes_field(2, bytes_field(3, value.encode())))
        for name, value in members.items()
    )
