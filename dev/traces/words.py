"""The waterfall in words: the same ones in the terminal and on the page.

Pure. A number without its meaning, or a colour without a word, helps only who made it.
"""

from collections.abc import Iterator
from typing import Final

from dev.traces.rows import Role, Row
from dev.traces.waterfall import Gap, Waterfall

# Clocks of one machine differ by less than this between two processes' roundings; it is not worth a word.
NOTABLE_SKEW_US: Final = 1_000
STANDS_IN: Final = {
    "stale": "an older value stands in",
    "default": "the default stands in",
    "none": "the section is null",
}


def ms(value_us: int) -> str:
    """Return milliseconds: exact where it is short, readable where it is long."""
    return f"{value_us / 1_000:,.1f}"


def label(row: Row) -> str:
    """Return the row's name: a server with its service, a section alone, an attempt with its number."""
    if row.role is Role.SERVER:
        return f"{row.service} {row.name}"
    if row.role is Role.SECTION:
        return row.section
    return f"{row.name} #{row.attempt}" if row.attempts > 1 else row.name


def marks(row: Row) -> list[str]:
    """Return what is to be said of a row, most important last to first read: status, fault, what we did about it."""
    return list(_marks(row))


def _marks(row: Row) -> Iterator[str]:
    if row.role is Role.SECTION:
        if row.degraded:
            how = "failed" if row.outcome == "failed" else "degraded"
            yield f"{how}: {row.reason or row.outcome}"
    else:
        yield from _answer(row)
        said = {"degraded": row.degraded, "cancelled": row.cancelled, "retried": row.retried}
        yield from (word for word, true in said.items() if true)
    if row.orphan:
        yield "parent not here"
    if abs(row.skew_us) >= NOTABLE_SKEW_US:
        yield f"clock {row.skew_us / 1_000:+,.0f} ms"


def _answer(row: Row) -> Iterator[str]:
    """The status and what was wrong with it: some senders put the status itself into ``error.type``."""
    fault = "" if row.reason == str(row.status) else row.reason
    if row.status or fault:
        yield f"{row.status or ''} {fault}".strip()
    elif row.error and not row.cancelled:
        yield "error"


def gap_words(gap: Gap) -> str:
    """Say one entry of ``degraded``."""
    return f"{gap.section}: {_why(gap.reason, gap.detail)}, {STANDS_IN.get(gap.source, gap.source)}"


def lost_words(fall: Waterfall) -> list[str]:
    """Say which required sections took the whole answer with them."""
    return [
        f"{row.section}: {_why(row.reason or 'unknown', row.detail)}" for row in fall.rows if row.outcome == "failed"
    ]


def _why(reason: str, detail: str) -> str:
    return f"{reason} ({detail})" if detail else reason


def deadline_words(fall: Waterfall) -> str:
    """Say how the answer stood to its deadline."""
    if not fall.deadline_ms:
        return "no deadline"
    spare = f"{ms(fall.spare_us)} ms to spare" if fall.spare_us >= 0 else f"passed by {ms(-fall.spare_us)} ms"
    return f"deadline {fall.deadline_ms:,} ms, {spare}"


def warning_words(fall: Waterfall) -> list[str]:
    """Say what keeps this picture from being whole."""
    orphans = sum(row.orphan for row in fall.rows)
    missing = [f"{orphans} span{'s' * (orphans > 1)} without the parent: late, or never sent"] if orphans else []
    kept = [f"not sampled, kept because {row.kept}: this service's part only" for row in fall.rows if row.kept]
    return [*fall.warnings, *kept, *missing]
