"""Cursors of lists: a place in a backend's list, sealed for one user and one list, opaque to clients.

Owns the seal. What a place is (a time and an id, most often) is the backend's word and stays unread here. A cursor that
another user got, that was made for another list, or by anybody but us, is refused as what it is: no cursor.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import blake2b
from secrets import token_bytes
from typing import Final

from shared.errors import ProblemCode, ProblemError

# 96 bits: nobody guesses one within the life of a list.
SEAL_BYTES: Final = 12
# A place is a time and an id, some fifty bytes; what is longer is none of ours.
MAX_LENGTH: Final = 512


class Cursors:
    """Seals with the first key and opens with any, so that keys can be changed without breaking what clients hold.

    Without a key, one is drawn: then cursors end with this process, and are strangers to its replicas.
    """

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        self._keys = [_derived(key) for key in keys] or [token_bytes(32)]

    def seal(self, place: str, *, user: str, of: str) -> str:
        """Return the cursor of a place in the list ``of`` of ``user``."""
        raw = place.encode()
        return urlsafe_b64encode(_seal(self._keys[0], raw, user, of) + raw).rstrip(b"=").decode()

    def open(self, cursor: str, *, user: str, of: str, name: str = "after") -> str:
        """Return the place. Raises ProblemError(INVALID_REQUEST), which names the parameter and not its value."""
        try:
            if not 0 < len(cursor) <= MAX_LENGTH:
                raise ValueError  # noqa: TRY301 - all that is no cursor is refused alike
            packed = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
            sealed, raw = packed[:SEAL_BYTES], packed[SEAL_BYTES:]
            if not any(hmac.compare_digest(sealed, _seal(key, raw, user, of)) for key in self._keys):
                raise ValueError  # noqa: TRY301 - same
            return raw.decode()
        except ValueError:
            problem = f"`{name}` is no cursor of this list: send one that you got from it, or none."
            raise ProblemError(ProblemCode.INVALID_REQUEST, problem) from None


def _derived(key: bytes) -> bytes:
    return blake2b(key, digest_size=32, person=b"cursors").digest()


def _seal(key: bytes, raw: bytes, user: str, of: str) -> bytes:
    seal = blake2b(key=key, digest_size=SEAL_BYTES)
    for part in (of.encode(), user.encode(errors="surrogatepass"), raw):
        seal.update(len(part).to_bytes(4))  # so that no two rows of parts make one text
        seal.update(part)
    return seal.digest()
