"""JSON logs with trace ids.

Owns the format and the trace id's way into each line. No line carries a payload, a header, a query or a subject.
"""

import logging
import sys
from contextvars import ContextVar
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

trace_id: ContextVar[str] = ContextVar("trace_id", default="")


def _add_trace_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if current := trace_id.get():
        event["trace_id"] = current
    return event


def configure_logs(service: str, level: str, *, for_good: bool = False) -> None:
    """Send our own and the libraries' log lines to stdout as one JSON object a line.

    ``for_good``: loggers keep this set-up from their first line on, which is faster; a service says so, a test never.
    """
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace_id,
        structlog.processors.format_exc_info,
    ]

    def add_service(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, add_service],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("httpx").setLevel(logging.WARNING)  # its info lines carry full URLs
    structlog.configure(
        processors=[*shared, add_service, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=for_good,
    )


def get_logger(name: str) -> Any:
    """Return the logger of one module: ``log.info("event_name", key=value)``."""
    return structlog.stdlib.get_logger(name)
