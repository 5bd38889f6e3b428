"""The access log: one JSON line a request, put together and written by a thread.

Owns the line and when it leaves; a request only leaves behind what its line will say. It has the form of ``logs.py``'s
lines; structlog and a logging handler take ten times as long for it, which on a hot route is a tenth of the throughput.
A reader of stdout that stalls costs lines (counted), never an answer.
"""

import os
import threading
import time
from collections.abc import Callable
from json import dumps
from json.encoder import encode_basestring_ascii as quoted  # in C, without the options of dumps
from operator import attrgetter
from typing import Final

from shared.telemetry.ledger import Ledger
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

# Ten lines a second look live to a person, and one write for hundreds of lines costs next to nothing.
FLUSH_S: Final = 0.1
# A few seconds of one process at its peak, 2 MB of text: enough for a log collector's hiccup.
MAX_LINES: Final = 10_000
STDOUT: Final = 1


# What a line is made of; the ledger itself, with all its records, may go.
_said: Final = attrgetter(
    "method", "route", "status", "started_s", "ended_s", "degraded", "request_id", "wall_ns", "origin.trace_id"
)
Said = tuple[str, str, int, float, float, str, str, int, str]


def _write(text: bytes) -> None:
    while text:
        text = text[os.write(STDOUT, text) :]


class AccessLog:
    """The lines of one service."""

    def __init__(self, service: str, write: Callable[[bytes], None] = _write) -> None:
        self._write = write
        self._end = f'","service":{dumps(service)}}}\n'
        self._waiting: list[Said] = []
        self.dropped = 0
        self._second, self._stamp = 0, ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
        self._thread.start()

    def add(self, ledger: Ledger) -> None:
        """Queue the line of a finished request."""
        if len(self._waiting) >= MAX_LINES:
            self.dropped += 1
        else:
            self._waiting.append(_said(ledger))

    def _line(self, said: Said) -> str:
        """Put a line together; a calendar is asked once a second."""
        method, route, status, started_s, ended_s, degraded, request_id, wall_ns, trace_id = said
        took_s = ended_s - started_s
        second, rest_ns = divmod(wall_ns + int(took_s * 1e9), 1_000_000_000)
        if second != self._second:
            self._second, self._stamp = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return (
            f'{{"method":"{method}","route":{quoted(route)},"status":{status},"ms":{took_s * 1000:.1f},'
            f'"degraded":{quoted(degraded)},"request_id":"{request_id}","event":"request","level":"info",'
            f'"timestamp":"{self._stamp}.{rest_ns // 1_000_000:03}Z","trace_id":"{trace_id}{self._end}'
        )

    def _run(self) -> None:
        while not self._stop.wait(FLUSH_S):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            try:
                self._write("".join(map(self._line, waiting)).encode())
            except OSError:  # nobody reads any more, and nobody could be told
                self.dropped += len(waiting)
        if self.dropped:
            dropped, self.dropped = self.dropped, 0
            log.warning("access_lines_dropped", count=dropped)

    def close(self, within_s: float) -> None:
        """Write what is queued, for at most ``within_s`` seconds, and stop."""
        self._stop.set()
        self._thread.join(within_s)
