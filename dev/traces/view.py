"""What the page reads: a trace as a waterfall in words, and the newest traces as one line each."""

import time
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

from dev.traces.jaeger import Json, trace_json
from dev.traces.search import TraceQuery, find, services
from dev.traces.span import StoredTrace
from dev.traces.store import Store
from dev.traces.ticks import ticks_us
from dev.traces.waterfall import Waterfall, waterfall
from dev.traces.words import deadline_words, gap_words, label, lost_words, marks, ms, warning_words

# Envoy sends its spans every five seconds by default: until then a trace may still get its first one.
MAY_GROW: Final = timedelta(seconds=8)
# As many as fit side by side at 1280 pixels; the page leaves every second one out where it is narrow.
MOST_TICKS: Final = 6


def view(trace: StoredTrace) -> Json:
    """Return one trace for the page: the waterfall's values and their words."""
    fall = waterfall(trace_json(trace))
    document: Json = asdict(fall)
    for row, drawn in zip(document["rows"], fall.rows, strict=True):
        row |= {"label": label(drawn), "marks": marks(drawn), "ms": ms(drawn.duration_us)}
    age = timedelta(microseconds=time.time_ns() // 1_000 - trace.touched_us)
    document |= {
        "total": ms(fall.total_us),
        "deadline": deadline_words(fall),
        "gaps": [gap_words(gap) for gap in fall.degraded],
        "lost": lost_words(fall),
        "notices": warning_words(fall),
        "growing": age < MAY_GROW,
        "ticks": [{"at_us": tick, "label": f"{tick / 1_000:,g}"} for tick in ticks_us(fall.scale_us, MOST_TICKS)],
    }
    return document


class Summaries:
    """One line per trace, kept until the trace changes: the list is asked for every few seconds."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[str, tuple[int, Json]] = {}

    def newest(self, query: TraceQuery) -> dict[str, Any]:
        """Return the newest traces that fit, and every service there is."""
        found = find(self._store, query)
        lines = [self._line(trace_id, touched_us) for trace_id, touched_us in found]
        self._kept = {one["trace_id"]: self._kept[one["trace_id"]] for one in lines if one}
        return {"traces": [one for one in lines if one], "services": services(self._store)}

    def _line(self, trace_id: str, touched_us: int) -> Json | None:
        touched, line = self._kept.get(trace_id, (0, {}))
        if touched == touched_us:
            return line
        trace = self._store.get(trace_id)
        if trace is None:  # gone since it was found
            return None
        line = summary(waterfall(trace_json(trace)))
        self._kept[trace_id] = (trace.touched_us, line)
        return line


def summary(fall: Waterfall) -> Json:
    """Return one trace in one line."""
    return {
        "trace_id": fall.trace_id,
        "service": fall.service,
        "name": fall.name,
        "start_us": fall.start_us,
        "total_us": fall.total_us,
        "total": ms(fall.total_us),
        "status": fall.status,
        "degraded": [gap.section for gap in fall.degraded],
        "errors": fall.errors,
        "spans": len(fall.rows),
    }
