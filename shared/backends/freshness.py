"""What an answer's headers say of how long it may be remembered (RFC 9111, RFC 5861). Pure: no clock, no memory.

Owns the reading of Cache-Control, Expires, Date, Age and Vary. What is unclear is read the strict way: a lifetime that
is no number is over, of two lifetimes the shorter counts. No lifetime is ever guessed (RFC 9111 §4.2.2 lets a cache).
"""

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

from shared.backends.channel import Reply
from shared.resilience.deadline import HEADER as DEADLINE_HEADER

SAYING: Final = frozenset({b"age", b"cache-control", b"etag", b"expires", b"last-modified", b"vary"})
DATE: Final = frozenset({b"date"})
LISTS: Final = frozenset({"cache-control", "vary"})

# What differs between two attempts of one call: an answer that varies with it answers nothing else ever again. All
# other headers that a call sends are the same each time, or, like the credential, part of its key (``backend.py``).
PER_ATTEMPT: Final = frozenset({"*", "traceparent", "tracestate", DEADLINE_HEADER})

DIRECTIVE: Final = re.compile(r"""([\w!#$%&'*+.^`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?""", re.ASCII)
# RFC 9111 §1.2.2: what does not fit in 31 bits is as good as for ever.
LONGEST_S: Final = 2.0**31


class Freshness(NamedTuple):
    """How long an answer is fresh, and for how long after that it may still be used; None: the answer does not say."""

    fresh_s: float = 0.0
    may_be_stale: bool = True
    while_revalidate_s: float | None = None
    if_error_s: float | None = None


# What most answers say, without a word.
SILENT: Final = Freshness()


def kept_headers(reply: Reply) -> dict[str, str]:
    """Return the headers that matter here; of one that is no list, the first counts. Empty when they say nothing.

    Most say nothing; a date alone, which nearly all have and which is dear to read, tells no more than the clock.
    """
    kept: dict[str, str] = {}
    found = reply.headers_among(SAYING)
    for name, value in found + reply.headers_among(DATE) if found else found:
        if name not in kept:
            kept[name] = value
        elif name in LISTS:
            kept[name] += f", {value}"
    return kept


def freshness(kept: Mapping[str, str], *, public: bool, wall_s: float) -> Freshness | None:
    """Return how long an answer that came at ``wall_s`` may be used; None when it must not be stored.

    ``public`` memory is shared between callers, so to it a private answer is none.
    """
    said = directives(kept.get("cache-control", ""))
    if "no-store" in said or (public and "private" in said) or varies(kept.get("vary", "")):
        return None
    shared_age = said.get("s-maxage") if public else None
    strict = shared_age is not None or not said.keys().isdisjoint(
        {"no-cache", "must-revalidate", *(("proxy-revalidate",) if public else ())}
    )
    fresh_s = 0.0 if "no-cache" in said else _lifetime(kept, said, shared_age, wall_s)
    return Freshness(fresh_s, not strict, said.get("stale-while-revalidate"), said.get("stale-if-error"))


def age_on_arrival(kept: Mapping[str, str], *, wall_s: float, delay_s: float) -> float:
    """Return the age (RFC 9111 §4.2.3): by its date, or by what caches before us said plus the way here."""
    sent = _moment(kept.get("date", ""))
    apparent_s = 0.0 if sent is None else wall_s - sent
    return max(0.0, apparent_s, _seconds(kept.get("age", "").partition(",")[0].strip()) + delay_s)


def directives(value: str) -> dict[str, float]:
    """Read Cache-Control: names in lower case, values as seconds. A field list in quotes counts as no list at all."""
    found: dict[str, float] = {}
    for match in DIRECTIVE.finditer(value):
        name = match[1].lower()
        found[name] = min(found.get(name, LONGEST_S), _seconds(match[2] or match[3] or ""))
    return found


def varies(vary: str) -> bool:
    """Tell whether no later attempt could ask for the same."""
    return any(name.strip().lower() in PER_ATTEMPT for name in vary.split(","))


def _lifetime(kept: Mapping[str, str], said: Mapping[str, float], shared_age: float | None, wall_s: float) -> float:
    if shared_age is not None:
        return shared_age
    if "max-age" in said:
        return said["max-age"]
    if "expires" not in kept:
        return 0.0
    expires, sent = _moment(kept["expires"]), _moment(kept.get("date", ""))
    return 0.0 if expires is None else max(0.0, expires - (wall_s if sent is None else sent))


def _seconds(value: str) -> float:
    return min(float(value), LONGEST_S) if value.isascii() and value.isdigit() else 0.0


def _moment(value: str) -> float | None:
    try:
        moment = parsedate_to_datetime(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):  # a parser of mail, fed by a stranger
        return None
