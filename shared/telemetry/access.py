"""The access log: one JSON line a request, put together by hand, written by a thread.

Owns the line and when it leaves. It has the form of ``logs.py``'s lines; structlog and a logging handler take ten times
as long for it, which on a hot route is a tenth of the throughput. A reader of stdout that stalls costs lines (counted),
never an answer.
"""

import os
import threading
import time
from collections.abc import Callable
from json import dumps
from typing import Final

from shared.telemetry.ledger import Ledger
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

# Ten lines a second look live to a person, and one write for hundreds of lines costs next to nothing.
FLUSH_S: Final = 0.1
# A few seconds of one process at its peak, 2 MB of text: enough for a log collector's hiccup.
MAX_LINES: Final = 10_000
STDOUT: Final = 1


def _write(text: bytes) -> None:
    while text:
        text = text[os.write(STDOUT, text) :]


class AccessLog:
    """The lines of one service."""

    def __init__(self, service: str, write: Callable[[bytes], None] = _write) -> None:
        self._write = write
        self._end = f'","service":{dumps(service)}}}\n'
        self._lines: list[str] = []
        self.dropped = 0
        self._second, self._stamp = 0, ""
        self._routes: dict[str, str] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
        self._thread.start()

    def add(self, ledger: Ledger) -> None:
        """Queue the line of a finished request."""
        if len(self._lines) >= MAX_LINES:
            self.dropped += 1
            return
        took_s = ledger.ended_s - ledger.started_s
        route = self._routes.get(ledger.route)
        if route is None:
            route = self._routes[ledger.route] = dumps(ledger.route)  # templates: few, and ours
        degraded = dumps(ledger.degraded) if ledger.degraded else '""'
        self._lines.append(
            f'{{"method":"{ledger.method}","route":{route},"status":{ledger.status},"ms":{took_s * 1000:.1f},'
            f'"degraded":{degraded},"request_id":"{ledger.request_id}","event":"request","level":"info",'
            f'"timestamp":"{self._moment(ledger, took_s)}","trace_id":"{ledger.origin.trace_id}{self._end}'
        )

    def _moment(self, ledger: Ledger, took_s: float) -> str:
        """Say when the request ended; a calendar is asked once a second."""
        ended_ms = (ledger.wall_ns + int(took_s * 1e9)) // 1_000_000
        second = ended_ms // 1000
        if second != self._second:
            self._second, self._stamp = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._stamp}.{ended_ms % 1000:03}Z"

    def _run(self) -> None:
        while not self._stop.wait(FLUSH_S):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        lines, self._lines = self._lines, []
        if lines:
            try:
                self._write("".join(lines).encode())
            except OSError:  # nobody reads any more, and nobody could be told
                self.dropped += len(lines)
        if self.dropped:
            dropped, self.dropped = self.dropped, 0
            log.warning("access_lines_dropped", count=dropped)

    def close(self, within_s: float) -> None:
        """Write what is queued, for at most ``within_s`` seconds, and stop."""
        self._stop.set()
        self._thread.join(within_s)
