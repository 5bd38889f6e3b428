"""Takes a compact JWS apart, strictly.

Owns the form: three canonical base64url parts, two JSON objects without a repeated member, and a header that asks for
nothing we do not do. What the claims must say is ``tokens``'s business, whether the signature is right ``keys``'s.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from typing import Any, Final, Never

JsonObject = dict[str, Any]

# Three parts. Five would be an encrypted token, which we do not take; an empty signature is an unsigned one.
FORM: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")


class TokenRefused(Exception):
    """Why a token does not count: for our logs. The client only ever learns that it does not."""


@dataclass(frozen=True, slots=True)
class CompactToken:
    """A token's parts. Nothing in it is to be believed before its signature is checked."""

    header: JsonObject
    claims: JsonObject = field(repr=False)
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def read_compact(token: str, max_length: int) -> CompactToken:
    """Return the parts of ``token``; raises ``TokenRefused``."""
    if len(token) > max_length:
        raise TokenRefused("too long")
    parts = FORM.fullmatch(token)
    if parts is None:
        raise TokenRefused("not a compact JWS")
    header, payload, signature = parts.groups()
    read = CompactToken(
        header=read_object(_decode(header)),
        claims=read_object(_decode(payload)),
        signed=f"{header}.{payload}".encode(),
        signature=_decode(signature),
    )
    if "crit" in read.header or "b64" in read.header:
        raise TokenRefused("header has an extension that we do not know")  # RFC 7515 §4.1.11: then refuse
    return read


def read_object(text: bytes) -> JsonObject:
    """Return the JSON object in ``text``; a repeated member, NaN or bytes that are not UTF-8 are refused."""
    try:
        # Decoded here: given bytes, json would also take UTF-16 and UTF-32.
        value = json.loads(text.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise TokenRefused("not strict JSON") from error
    if not isinstance(value, dict):
        raise TokenRefused("not a JSON object")
    return value


def _decode(part: str) -> bytes:
    """Decode base64url. Spare bits must be zero, or one token could be written in several ways."""
    try:
        decoded = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error as error:
        raise TokenRefused("not base64url") from error
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != part.encode():
        raise TokenRefused("not canonical base64url")
    return decoded


def _unique(pairs: list[tuple[str, Any]]) -> JsonObject:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("repeated member")
    return members


def _refuse_constant(name: str) -> Never:
    raise ValueError(name)
