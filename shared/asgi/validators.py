"""Entity tags, and the conditions that requests put on them (RFC 9110 §8.8.3, §13.1). Pure.

Owns the reading of ``If-Match`` and ``If-None-Match``. A tag is opaque and compared without its ``W/``, for both: the
edge weakens the tags of what it compresses, so a phone that got ``W/"7"`` for a profile sends that back. Ours
name versions, not bytes; strictly read (§13.1.1), nothing that came compressed could be changed (field case E8).
"""

import re
from hashlib import blake2b
from typing import Final

# One tag of a list, as the grammar has it (§8.8.3): no quotes and no control characters inside.
TAG: Final = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
ANY: Final = "*"
# 96 bits: of a trillion answers no two are alike.
DIGEST_BYTES: Final = 12


def tag_of(*parts: bytes) -> str:
    """Return a tag for content: the same for the same parts, and for no others."""
    digest = blake2b(digest_size=DIGEST_BYTES)
    for part in parts:
        digest.update(len(part).to_bytes(8))  # so that no two rows of parts make one text
        digest.update(part)
    return f'"{digest.hexdigest()}"'


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
