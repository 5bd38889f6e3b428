"""Entity tags, and the conditions that requests put on them (RFC 9110 §8.8.3, §13.1). Pure.

Owns the reading of ``If-Match`` and ``If-None-Match``. A tag is opaque and compared without its ``W/``, for both: the
edge weakens the tags of what it compresses, so a phone that got ``W/"7"`` for a profile sends that back. Ours
name versions, not bytes; strictly read (§13.1.1), nothing that came compressed could be changed (field case E8).
"""

import re
from hashlib import sha256
from typing import Final

# One tag of a list, as the grammar has it (§8.8.3): no quotes and no control characters inside.
TAG: Final = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
ANY: Final = "*"
# 96 bits: of a trillion answers no two are alike. SHA-256 is what processors have instructions for.
DIGITS: Final = 24


def digest_of(body: bytes) -> str:
    """Return what tells this content from all others, for the inside of a tag."""
    return sha256(body).hexdigest()[:DIGITS]


def digest_of_parts(*parts: bytes) -> str:
    """Return it for several pieces: however the same bytes are cut, other pieces have another digest."""
    digest = sha256()
    for part in parts:
        digest.update(part)
        digest.update(len(part).to_bytes(8))
    return digest.hexdigest()[:DIGITS]


def names(condition: str, tag: str) -> bool:
    """Tell whether a condition names this tag, or anything at all (``*``). What is no list of tags names nothing."""
    if condition.strip() == ANY:
        return True
    return opaque(tag) in listed(condition)


def listed(condition: str) -> list[str]:
    """Return the opaque parts of the tags in a condition."""
    return TAG.findall(condition)


def opaque(tag: str) -> str:
    """Return what stands between the quotes of a tag."""
    found = TAG.fullmatch(tag)
    return found[1] if found else ""
