"""What the viewer counts about itself, in Prometheus' text format."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Live counts since the start of the process."""

    received: int = 0
    rejected: int = 0
    dropped: int = 0
    refused: int = 0

    def scrape(self, traces: int, spans: int) -> str:
        """Return the text; ``traces`` and ``spans`` are what the store holds now."""
        rows = (
            ("spans_received_total", "counter", "Spans taken from exporters", self.received),
            ("spans_rejected_total", "counter", "Spans without a valid id", self.rejected),
            ("spans_dropped_total", "counter", "Spans of traces that were full", self.dropped),
            ("exports_refused_total", "counter", "Export requests answered with 4xx", self.refused),
            ("stored_traces", "gauge", "Traces in the store", traces),
            ("stored_spans", "gauge", "Spans in the store", spans),
        )
        return "".join(
            f"# HELP frontage_traces_{name} {text}.\n# TYPE frontage_traces_{name} {kind}\nfrontage_traces_{name} {n}\n"
            for name, kind, text, n in rows
        )
