"""Opens a ledger for each request and hands it to telemetry when the answer is out.

Owns the trace id on every answer, the route template, and the access log line. It records; ``telemetry/`` interprets.
"""

from collections.abc import Iterable
from typing import Any, Final

from starlette.datastructures import State
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.asgi.context import KEY, NO_TIME, Fields, RequestContext, once, text_of
from shared.clock import Clock
from shared.telemetry.access import AccessLog
from shared.telemetry.gaps import GapLog
from shared.telemetry.keeping import Keeper, KeepPolicy
from shared.telemetry.ledger import FAULT, Ledger, begin_trace, read_origin
from shared.telemetry.logs import get_logger, trace_id
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import Tracing

log = get_logger("access")

# Probes and scrapes are not requests: no span, no log line, no metric (field case T2).
QUIET_PATHS: Final = frozenset({"/health/live", "/health/ready", "/metrics", "/version"})
Header = tuple[bytes, bytes]
NO_STORE: Final = (b"cache-control", b"no-store")
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


# Set by the edge and stripped from outside: the decision not to sample was its own, not the caller's (ADR 9).
SAMPLING: Final = b"x-frontage-sampling"
BY_THE_EDGE: Final = "edge"


class Observer:
    """Where finished ledgers go. ``tracing`` is None without a collector.

    ``access`` is the quick way to the log of a process whose stdout is ours (``serve``); without it, structlog writes.
    """

    def __init__(self, metrics: Metrics, ratio: float) -> None:
        self.metrics = metrics
        self.tracing: Tracing | None = None
        self.access: AccessLog | None = None
        self.ratio = ratio
        self.keeper = Keeper(KeepPolicy())
        self._gaps = GapLog()

    def open(self, state: State, method: str, fields: Fields, now_s: float, *, quiet: bool = False) -> RequestContext:
        """Open the request's ledger and context; its deadline comes with ``deadline``."""
        said = fields.get
        ratio, traceparent = 0.0 if quiet else self.ratio, said(b"traceparent")
        if traceparent is None:
            origin = begin_trace(ratio)
        else:
            origin = read_origin(traceparent.decode("latin-1"), text_of(fields, b"tracestate") or "", ratio)
        opened = Ledger if quiet or self.tracing is None else self.tracing.open
        ledger = opened(origin, method if method in METHODS else "OTHER", now_s)
        request_id = said(b"x-request-id")
        if request_id is not None:
            ledger.name(request_id.decode("latin-1"))
        return RequestContext(ledger, NO_TIME, fields, state)

    def close(self, context: RequestContext, route: str, now_s: float) -> None:
        """Close it: count it, log it, and tell its trace when that is sampled or worth keeping."""
        ledger = context.ledger
        ledger.ended_s = now_s
        ledger.route = route
        self.metrics.observe(ledger)
        if ledger.left_out:
            log.warning("answer_too_wide", route=ledger.route, left_out=ledger.left_out, asked=len(ledger.sections))
        went_well = ledger.status < FAULT and not (ledger.degraded or ledger.errors or ledger.exception)
        if not went_well:
            self._gaps.tell(ledger)
        if self.tracing is not None:
            told = ledger.origin.sampled
            if not told and self.tracing.keeps and not (went_well and now_s - ledger.started_s < self.keeper.least_s):
                told = self._keep(context, ledger)
            if told:
                self.tracing.finish(ledger)
        if self.access is not None:
            self.access.add(ledger)
            return
        log.info(
            "request",
            method=ledger.method,
            route=ledger.route,
            status=ledger.status,
            ms=round((ledger.ended_s - ledger.started_s) * 1000, 1),
            degraded=ledger.degraded,
            request_id=ledger.request_id,
        )

    def _keep(self, context: RequestContext, ledger: Ledger) -> bool:
        """Judge the end of a request that was not sampled. A caller that said no is not overruled (field case T2)."""
        why = self.keeper.why(ledger)
        if why is None or not (ledger.origin.parent_id is None or context.header(SAMPLING) == BY_THE_EDGE):
            return False
        if not self.keeper.admits(ledger):
            self.metrics.traces_dropped(1, "over_ceiling")
            return False
        ledger.kept = why.value
        self.metrics.traces_kept.labels(why.value).inc()
        return True


def with_trace(headers: Iterable[Header], ledger: Ledger) -> list[Header]:
    """Return the answer's headers with its trace id; an answer with gaps is nobody's to keep (architecture §4)."""
    trace = (b"x-trace-id", ledger.origin.trace_id.encode())
    if ledger.degraded:
        return [*(one for one in headers if one[0].lower() != b"cache-control"), NO_STORE, trace]
    return [*headers, trace]


class ObserveMiddleware:
    """The outermost layer: everything inside it happens to one ledger."""

    def __init__(self, app: ASGIApp, observer: Observer, clock: Clock) -> None:
        self._app = app
        self._observer = observer
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Record the request; the answer carries ``x-trace-id``."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        quiet = scope["path"] in QUIET_PATHS
        now, fields = self._clock.now_s(), once(scope["headers"])
        context = scope[KEY] = self._observer.open(scope["app"].state, scope["method"], fields, now, quiet=quiet)
        context.query = scope["query_string"]
        ledger = context.ledger
        token = trace_id.set(ledger.origin.trace_id)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                ledger.status = message["status"]
                message["headers"] = with_trace(message.get("headers", ()), ledger)
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            if not quiet:
                self._observer.close(context, _template(scope), self._clock.now_s())
            trace_id.reset(token)


def _template(scope: Scope) -> str:
    """Return the route's template, also for 4xx; a path that matched nothing is never a label."""
    route: Any = scope.get("route")
    return getattr(route, "path", "") or ""
