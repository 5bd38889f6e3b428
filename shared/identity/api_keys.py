"""The text of an API key: ``bffk_<env>_<id 12>_<secret 43><checksum 6>``.

Owns making and reading it. A scanner finds the prefix in a repository; the checksum refuses a typing error before
anything is looked up; the id is no secret and may stand in logs. What a key may do is ``key_records.py``'s business.
"""

import hashlib
import re
import secrets
import zlib
from dataclasses import dataclass, field
from typing import Final

from shared.identity.credential import KEY_PREFIX

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ID_LENGTH: Final = 12
# 62^43 > 2^256: with so much chance in it a plain SHA-256 is as good as any slow hash, and can be checked in 1 µs.
SECRET_LENGTH: Final = 43
# 62^6 > 2^32.
CHECKSUM_LENGTH: Final = 6

_FORM: Final = re.compile(
    rf"{KEY_PREFIX}(?P<env>[a-z][a-z0-9]{{0,15}})_(?P<id>[0-9A-Za-z]{{{ID_LENGTH}}})"
    rf"_[0-9A-Za-z]{{{SECRET_LENGTH}}}(?P<checksum>[0-9A-Za-z]{{{CHECKSUM_LENGTH}}})"
)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that is well formed; whether it exists is another question."""

    env: str
    id: str
    text: str = field(repr=False)

    @property
    def digest(self) -> str:
        """What is kept of it: the SHA-256 of its whole text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def new_key(env: str) -> ApiKey:
    """Make a key for an environment (``live``, ``test``); raises ValueError for one that is no short word."""
    head = f"{KEY_PREFIX}{env}_{_draw(ID_LENGTH)}_{_draw(SECRET_LENGTH)}"
    key = read_key(head + _checksum(head))
    if key is None:
        raise ValueError(f"environment {env!r}: use up to 16 lower-case letters and digits, e.g. live")
    return key


def read_key(text: str) -> ApiKey | None:
    """Return the key that a text is, or None for anything else, also for one with a typing error."""
    found = _FORM.fullmatch(text)
    if found is None or _checksum(text[:-CHECKSUM_LENGTH]) != found["checksum"]:
        return None
    return ApiKey(found["env"], found["id"], text)


def _draw(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _checksum(text: str) -> str:
    number, written = zlib.crc32(text.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        written = ALPHABET[digit] + written
    return written
