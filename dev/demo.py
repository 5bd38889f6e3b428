"""The whole story in one command: ``make demo``.

A phone and a browser get their dashboard in one call each; then a backend falls silent and both still get theirs by
the deadline, with the gap named. Starts a copy of its own, unless one runs already; then that one stays.
"""

import argparse
import shutil
import ssl
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from dev import answers, commands
from dev.up.detach import detach, take_down
from dev.up.state import RunFolder, RunRecord, load_record
from dev.waterfalls import await_trace, draw_trace

ROOT: Final = Path(__file__).resolve().parent.parent
USER: Final = "u-1"
SILENT: Final = "orders"
SILENT_SECTION: Final = "recentOrders"
# What the client allows the second pair: long enough for an attempt and its end, short enough to watch.
PATIENCE_MS: Final = 1_000
# Every service flushes its spans four times a second, Envoy too; a busy machine may need some seconds more.
TRACE_WITHIN_S: Final = 6.0
QUERY: Final = (
    "query { dashboard { displayName tier recentOrders { id amount currency status placedAt } "
    "alerts { severity message } degraded { section reason source ageSeconds retryAfterSeconds } } }"
)


class DemoError(Exception):
    """The story did not go as told; the message says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One dashboard as it arrived."""

    client: str
    request: str
    dashboard: dict[str, Any]
    status: int
    ms: float
    trace_id: str


def main() -> int:
    """Tell the story; returns 0 when every step of it was true."""
    parser = argparse.ArgumentParser(prog="python -m dev.demo", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--state", type=Path, default=ROOT / ".local")
    parser.add_argument("--port-offset", type=int, default=0)
    given = parser.parse_args()
    run = RunFolder(given.state.resolve(), given.port_offset)
    begun = time.monotonic()
    try:
        with running_copy(run) as record:
            tell(record)
    except (DemoError, commands.CommandError, httpx.HTTPError) as error:
        print(f"\ndemo: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(f"\nThat was all of it, in {time.monotonic() - begun:.1f} s.")
    return 0


@contextmanager
def running_copy(run: RunFolder) -> Iterator[RunRecord]:
    """Use the copy that runs, or start one and stop it afterwards."""
    record = load_record(run)
    if record is not None and record.status == "ready":
        print("using the copy that is already running; it goes on afterwards")
        yield record
        return
    heading("Everything starts: Envoy, two BFFs, three backends, an identity provider, a trace viewer")
    place = ["--state", str(run.state), "--port-offset", str(run.offset)]
    if code := detach(["-m", "dev", "up", *place], run, ROOT):
        raise DemoError(f"the system did not start (exit code {code}); the reason stands above")
    try:
        yield commands.running(run)
    finally:
        heading("Everything stops, the edge first")
        take_down(run, lambda _: None)
        print("  stopped, nothing left behind")


def tell(record: RunRecord) -> None:
    """Both answers, then both again with a silent backend."""
    commands.set_fault(record, SILENT, commands.Fault(clear=True))
    token = commands.fetch_token(record, USER)
    context = ssl.create_default_context(cafile=record.ca)
    edge = record.services["edge"].address or ""
    with httpx.Client(base_url=edge, verify=context, headers={"authorization": f"Bearer {token}"}, timeout=10) as http:
        heading("One call each, through Envoy over TLS, from three backends asked at once")
        pair = ask_both(http)
        for answer in pair:
            expect(answer, degraded=[])
        show(pair, record)
        heading(f"The {SILENT} backend falls silent; each client allows {PATIENCE_MS:,} ms")
        try:
            print(f"  {commands.set_fault(record, SILENT, commands.Fault(silent=True))}")
            pair = ask_both(http, {"x-deadline-ms": str(PATIENCE_MS)})
        finally:
            commands.set_fault(record, SILENT, commands.Fault(clear=True))
        for answer in pair:
            expect(answer, degraded=[SILENT_SECTION], within_ms=PATIENCE_MS)
        show(pair, record, deadline_ms=PATIENCE_MS)


def ask_both(http: httpx.Client, headers: dict[str, str] | None = None) -> tuple[Answer, Answer]:
    """Ask as a phone does and as a browser does, at the same time."""
    with ThreadPoolExecutor(2) as clients:
        mobile = clients.submit(
            _ask, http, "mobile", http.build_request("GET", "/mobile/v1/dashboard", headers=headers)
        )
        query = http.build_request("POST", "/web/graphql", headers=headers, json={"query": QUERY})
        web = clients.submit(_ask, http, "web", query)
        return mobile.result(), web.result()


def _ask(http: httpx.Client, client: str, request: httpx.Request) -> Answer:
    begun = time.monotonic()
    response = http.send(request)
    ms = (time.monotonic() - begun) * 1000
    body = response.json()
    return Answer(
        client=client,
        request=f"{request.method} {request.url.path}",
        dashboard=(body.get("data") or {}).get("dashboard") or body,
        status=response.status_code,
        ms=ms,
        trace_id=response.headers.get("x-trace-id", ""),
    )


def expect(answer: Answer, *, degraded: list[str], within_ms: float | None = None) -> None:
    """Hold the answer against what the story says."""
    if answer.status != httpx.codes.OK:
        raise DemoError(f"{answer.client} answered {answer.status}: {answer.dashboard}")
    found = [gap["section"] for gap in answer.dashboard.get("degraded") or []]
    if found != degraded:
        raise DemoError(f"{answer.client} is degraded in {found or 'nothing'}, expected {degraded or 'nothing'}")
    if within_ms is not None and answer.ms > within_ms:
        raise DemoError(f"{answer.client} took {answer.ms:.0f} ms, {within_ms} ms were allowed")


def show(pair: tuple[Answer, Answer], record: RunRecord, deadline_ms: int | None = None) -> None:
    """Show both answers; then, when their spans have arrived, both waterfalls, and where their pages are."""
    for answer in pair:
        late = f", {deadline_ms - answer.ms:,.0f} ms before the deadline of {deadline_ms:,} ms" if deadline_ms else ""
        print(f"\n  {answer.client}: {answer.request}  ->  {answer.status} in {answer.ms:,.0f} ms{late}")
        for line in answers.dashboard_lines(answer.dashboard):
            print(f"    {line}")
    sys.stdout.flush()
    width = shutil.get_terminal_size((120, 24)).columns - 4
    for answer in pair:
        await_trace(record, answer.trace_id, {"edge", answer.client}, within_s=TRACE_WITHIN_S)
        print()
        for line in draw_trace(record, answer.trace_id, width=width).splitlines():
            print(f"    {line}".rstrip())


def heading(text: str) -> None:
    """Begin a chapter."""
    print(f"\n{text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
