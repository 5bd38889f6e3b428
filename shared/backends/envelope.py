"""An answer as the store keeps it: whose by a digest, the payload as it came, and what it said of how long it holds.

Owns the bytes. Two releases that write differently never read one another: the format's number is in every key. What a
release reads it judges anew, by the same rules and the same types as an answer of the backend (``recall.py``); what is
no envelope, or does not fit, is a miss.
"""

import json
import math
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final, NamedTuple

from shared.backends.cache import CallKey

# To be raised when the envelope changes, or what a call sends beside its target (``outbound.py``).
FORMAT: Final = 1
MAGIC: Final = b"FA"
LENGTH_BYTES: Final = 4


class Envelope(NamedTuple):
    """An answer of 200. ``received_s`` is wall time, for the monotonic clocks of two processes do not compare."""

    headers: Mapping[str, str]
    received_s: float
    age_s: float
    body: bytes


def name_of(service: str, key: CallKey) -> bytes:
    """Return the store's key. Identity, target and credential are in it as one digest: a key says nothing of anybody.

    The reading type is not: the payload is kept, and each reads it as it needs it.
    """
    digest = blake2b(digest_size=24)
    scope = b"public" if key.scope is None else b"of " + key.scope.encode(errors="surrogatepass")
    for part in (scope, key.backend.encode(), key.method.encode(), key.target.encode(), key.credential):
        digest.update(len(part).to_bytes(LENGTH_BYTES))  # so that no two rows of parts make one text
        digest.update(part)
    return f"frontage:{service}:answer:{FORMAT}:{digest.hexdigest()}".encode()


def pack(envelope: Envelope) -> bytes:
    """Return the bytes."""
    about = json.dumps({"at": envelope.received_s, "age": envelope.age_s, "headers": dict(envelope.headers)}).encode()
    return MAGIC + len(about).to_bytes(LENGTH_BYTES) + about + envelope.body


def unpack(value: bytes) -> Envelope | None:
    """Return the envelope; None when these are no bytes of ours."""
    start = len(MAGIC) + LENGTH_BYTES
    end = start + int.from_bytes(value[len(MAGIC) : start])
    if not value.startswith(MAGIC) or len(value) < end:
        return None
    try:
        about = json.loads(value[start:end])
        headers, at, age = about["headers"], float(about["at"]), float(about["age"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    told = isinstance(headers, dict) and all(isinstance(value, str) for value in headers.values())
    if not told or not math.isfinite(at) or not 0 <= age < math.inf:
        return None
    return Envelope(headers, at, age, value[end:])
