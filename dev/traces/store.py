"""The bounded store: the newest traces, each with its first spans, in one SQLite file.

Owns what is kept and what goes. Late spans join their trace; when a bound is reached the oldest trace goes, whole.
Finding traces by their spans is ``search.py``'s.
"""

import json
import threading
import time
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import Final

from dev.traces.database import open_database
from dev.traces.span import Span, StoredTrace

# Over all traces, so that many large ones cannot fill the disk: about 200 MB at a kilobyte a span.
MAX_STORED_SPANS: Final = 200_000


class Store:
    """One connection, used by one thread at a time."""

    def __init__(self, database: str, *, max_traces: int = 2_000, max_spans: int = 2_000) -> None:
        self._max_traces = max_traces
        self._max_spans = max_spans
        self._lock = threading.Lock()
        self._db = open_database(database)

    def add(self, spans: Iterable[Span]) -> int:
        """Keep ``spans``; return how many found their trace full."""
        by_trace = sorted(spans, key=attrgetter("trace_id"))  # stable: spans of one trace stay in order
        with self._lock, self._db:
            dropped = sum(
                self._extend(trace_id, list(group)) for trace_id, group in groupby(by_trace, attrgetter("trace_id"))
            )
            self._evict()
        return dropped

    def _extend(self, trace_id: str, spans: list[Span]) -> int:
        start_us, now_us = min(span.start_us for span in spans), time.time_ns() // 1_000
        number = self._db.execute(
            "INSERT INTO traces (trace_id, start_us, touched_us) VALUES (?1, ?2, ?3) ON CONFLICT (trace_id)"
            " DO UPDATE SET start_us = min(start_us, ?2), touched_us = ?3 RETURNING number",
            (trace_id, start_us, now_us),
        ).fetchone()[0]
        known = {row[0] for row in self._db.execute("SELECT span_id FROM spans WHERE trace = ?", (number,))}
        dropped = 0
        for span in spans:
            if span.span_id not in known and len(known) >= self._max_spans:
                dropped += 1
                if span.parent_id or not self._make_room(number, known):
                    continue
            self._put(number, span)
            known.add(span.span_id)
        self._db.execute(
            "UPDATE traces SET spans = ?, dropped = dropped + ? WHERE number = ?", (len(known), dropped, number)
        )
        return dropped

    def _make_room(self, number: int, known: set[str]) -> bool:
        """Let the newest child go: a root ends last, so it comes last, and a trace without it says little."""
        row = self._db.execute(
            "DELETE FROM spans WHERE rowid = (SELECT max(rowid) FROM spans WHERE trace = ? AND parent_id != '')"
            " RETURNING span_id",
            (number,),
        ).fetchall()
        known.difference_update(span_id for (span_id,) in row)
        return bool(row)

    def _put(self, number: int, span: Span) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO spans VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(number, span.span_id, span.parent_id, span.service, span.name, span.start_us, span.duration_us),
                *(json.dumps(span.body), json.dumps(span.process)),
            ),
        )

    def _evict(self) -> None:
        self._db.execute(
            "DELETE FROM traces WHERE number <= (SELECT number FROM traces ORDER BY number DESC LIMIT 1 OFFSET ?)",
            (self._max_traces,),
        )
        while self._db.execute("SELECT count(*) > 1 AND sum(spans) > ? FROM traces", (MAX_STORED_SPANS,)).fetchone()[0]:
            self._db.execute("DELETE FROM traces WHERE number = (SELECT min(number) FROM traces)")

    def get(self, trace_id: str) -> StoredTrace | None:
        """Return what there is of one trace."""
        with self._lock:
            head = self._db.execute(
                "SELECT number, dropped, touched_us FROM traces WHERE trace_id = ?", (trace_id,)
            ).fetchone()
            rows = self._db.execute(
                "SELECT span_id, parent_id, service, name, start_us, duration_us, body, process FROM spans"
                " WHERE trace = ? ORDER BY start_us, rowid",
                (head[0] if head else 0,),
            ).fetchall()
        if head is None:
            return None
        spans = tuple(
            Span(
                trace_id=trace_id, span_id=row[0], parent_id=row[1], service=row[2], name=row[3], start_us=row[4],
                duration_us=row[5], body=json.loads(row[6]), process=tuple(json.loads(row[7])),
            )
            for row in rows
        )  # fmt: skip
        return StoredTrace(trace_id=trace_id, spans=spans, dropped=head[1], touched_us=head[2])

    def rows(self, sql: str, parameters: dict[str, object]) -> list[tuple[str | int, ...]]:
        """Run one read of ``search.py``."""
        with self._lock:
            return self._db.execute(sql, parameters).fetchall()

    def close(self) -> None:
        """Write everything down and let the file go."""
        with self._lock:
            self._db.close()
