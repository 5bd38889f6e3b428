"""Answers kept as files: what a client got when a backend was in trouble, for people to read in a review.

Owns what of an answer is kept, what of it is different in every run, and the comparison.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from difflib import unified_diff
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import httpx

# What tells a client how to treat the body; the rest is the server's or the moment's.
KEPT_HEADERS: Final = ("content-type", "cache-control", "retry-after", "www-authenticate")

# Different in every run, and of which kind. Ids and moments that the test itself scripted are the same in every run:
# they stay as they are, or a golden could not tell one user's data from another's.
VOLATILE: Final[Mapping[str, str]] = MappingProxyType(
    {"traceId": "id", "aggregatedAt": "instant", "ageSeconds": "seconds"}
)
INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")

UPDATE: Final = "pytest --update-goldens"


def kept_form(answer: httpx.Response, volatile: Mapping[str, str] = VOLATILE) -> str:
    """Return an answer as its golden has it: status, some headers, body, without what differs in every run."""
    headers = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
    kept = {"status": answer.status_code, "headers": headers, "body": _without(answer.json(), volatile)}
    return json.dumps(kept, indent=2, ensure_ascii=False) + "\n"


def compare(text: str, path: Path, *, update: bool) -> None:
    """Compare with a golden, or make it. Raises AssertionError with the difference and what to do."""
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return
    if not path.exists():
        raise AssertionError(f"no golden {path.name} in {path.parent}: look at the answer, then {UPDATE}\n{text}")
    kept = path.read_text()
    if text != kept:
        lines = unified_diff(kept.splitlines(), text.splitlines(), "golden", "answer", lineterm="")
        raise AssertionError(f"not what {path} says. If it is right now: {UPDATE}\n" + "\n".join(lines))


def _without(value: Any, volatile: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_without(one, volatile) for one in value]
    if isinstance(value, dict):
        return {
            name: _stand_in(name, one, volatile[name]) if name in volatile else _without(one, volatile)
            for name, one in value.items()
        }
    return value


def _stand_in(name: str, value: Any, kind: str) -> Any:
    """Return a mark of what stood there. It must have been of its kind: null stays null, anything else is a fault."""
    if value is None:
        return None
    fits = {"id": _is_id, "instant": _is_instant, "seconds": _is_seconds}[kind](value)
    if not fits:
        raise AssertionError(f"{name} is no {kind}: {value!r}")
    return f"<{kind}>"


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_seconds(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_instant(value: Any) -> bool:
    if not isinstance(value, str) or not INSTANT.match(value):
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
