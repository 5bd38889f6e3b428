"""One table: aligned for a terminal, and in Markdown between two marks of ``docs/performance.md``."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.bench.measure import Row

BEGIN: Final = "<!-- bench: begin -->"
END: Final = "<!-- bench: end -->"
COLUMNS: Final = ("group", "load", "variant", "rps", "p50 ms", "p99 ms", "CPU µs", "RSS MB", "spread", "ratio to")


def cells(row: Row) -> tuple[str, ...]:
    """Say one row; ≥ marks a lower bound."""
    if row.ready_ms is not None:
        figures = ("", "", "", "")
        notes = [f"ready in {row.ready_ms:.0f} ms"]
    elif not row.rps:  # it was not about speed
        figures, notes = ("", "", "", ""), []
    else:
        mark = "≥ " if row.lower_bound else ""
        figures = (f"{mark}{row.rps:,.0f}", f"{row.p50_ms:.2f}", f"{row.p99_ms:.2f}", f"{row.cpu_us:.0f}")
        notes = [] if row.group != "failure" or row.useful is None else [f"useful {row.useful:.1%}"]
    notes += [row.note] if row.note else []
    notes += [f"{name} {ratio:.2f}" for name, ratio in row.ratios.items()]
    return (row.group, row.load, row.variant, *figures, f"{row.rss_mb:.0f}", f"{row.spread:.0%}", " · ".join(notes))


def as_text(rows: list[Row]) -> str:
    """Return the table for a terminal."""
    lines = [COLUMNS, *(cells(row) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(COLUMNS))]
    numbers = range(3, 9)
    padded = [
        "  ".join(
            cell.rjust(width) if place in numbers else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    return "\n".join([padded[0], "─" * max(map(len, padded)), *padded[1:]])


def as_markdown(rows: list[Row], versions: dict[str, str], notes: list[str]) -> str:
    """Return the table for the document, with what it was measured on."""
    measured_on = ", ".join(f"{name} {version}" for name, version in versions.items())
    lines = [
        f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC on {measured_on}.",
        *notes, "", f"| {' | '.join(COLUMNS)} |",
        "|" + "|".join("---:" if 3 <= place <= 8 else "---" for place in range(len(COLUMNS))) + "|",
        *(f"| {' | '.join(cells(row))} |" for row in rows),
    ]  # fmt: skip
    return "\n".join(lines)


def replace_between_marks(document: Path, text: str) -> None:
    """Put ``text`` between the marks; raises ValueError when the document has none."""
    before, found, rest = document.read_text().partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (found and ended):
        raise ValueError(f"{document.name} has no place for the table")
    document.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")
