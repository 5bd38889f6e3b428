"""Breaking on purpose: a short record in ``bffs/<name>/waivers/`` that names each change it allows, and says why.

Owns its form: an ADR (Context, Decision, Consequences, Alternatives) that begins with the keys of what it waives, as
the check prints them:

    # 2. Orders lose their currency

    Waives:
    - `property-removed response Order.currency`
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PARTS: Final = ["Context", "Decision", "Consequences", "Alternatives"]
_WAIVED: Final = re.compile(r"^- `([a-z-]+ (?:request|response) [^`]+)`$", re.MULTILINE)
_HEADING: Final = re.compile(r"^## (\w+)\n+(?=[^#\s])", re.MULTILINE)


class WaiverError(Exception):
    """A waiver that waives nothing, or gives no reason; the message names the file and what is missing."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """One file: what it allows."""

    file: Path
    keys: frozenset[str]


def read_waivers(folder: Path) -> tuple[Waiver, ...]:
    """Read every waiver of a BFF. Raises WaiverError."""
    return tuple(_read(file) for file in sorted(folder.glob("*.md")))


def _read(file: Path) -> Waiver:
    text = file.read_text(encoding="utf-8")
    keys = frozenset(_WAIVED.findall(text.partition("## ")[0]))
    if not keys:
        raise WaiverError(f"{file}: names no change; write its key as the check prints it: - `kind side where`")
    if missing := [part for part in PARTS if part not in _HEADING.findall(text)]:
        raise WaiverError(f"{file}: says nothing under {', '.join(missing)}")
    return Waiver(file, keys)
