"""Finds a trace of a running copy, waits until it is whole, and draws it in the terminal."""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from dev.commands import CommandError, address_of
from dev.traces import client
from dev.traces.terminal import render_trace
from dev.up.state import RunRecord


def draw_trace(record: RunRecord, which: str, width: int | None = None) -> str:
    """Return the waterfall of trace ``which`` (an id, or ``last``), and the link to its page."""
    base = address_of(record, "traces")
    with _explained(base):
        trace = client.last(base) if which == "last" else client.by_id(base, which)
    if trace is None:
        what = "no request has been traced yet" if which == "last" else f"trace {which} is not there"
        raise CommandError(f"{what}; the newest are at {base}")
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    drawn = render_trace(trace, width=width or shutil.get_terminal_size((120, 24)).columns, colour=colour)
    return f"{drawn}page  {base}/trace/{trace['traceID']}"


def await_trace(record: RunRecord, trace_id: str, services: set[str], *, within_s: float) -> None:
    """Wait until all of ``services`` have told their part of a trace, or the time is up."""
    base = address_of(record, "traces")
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        with _explained(base):
            trace = client.by_id(base, trace_id)
        told = {process["serviceName"] for process in trace["processes"].values()} if trace else set()
        if services <= told:
            return
        time.sleep(0.1)


@contextmanager
def _explained(base: str) -> Iterator[None]:
    try:
        yield
    except httpx.HTTPError as error:
        raise CommandError(f"the trace viewer at {base} did not answer: {type(error).__name__} {error}") from error
