"""Log lines: one JSON object a line, with the trace id, from our code and the libraries' alike."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from shared.telemetry.logs import configure_logs, get_logger, trace_id


@pytest.fixture(autouse=True)
def process_as_it_was() -> Iterator[None]:
    """Put back what ``configure_logs`` changes for the whole process."""
    root = logging.getLogger()
    handlers, level, httpx_level = root.handlers[:], root.level, logging.getLogger("httpx").level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("httpx").setLevel(httpx_level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_every_line_is_json_with_service_and_trace_id(capsys: pytest.CaptureFixture[str]) -> None:
    """Ours and a library's, also with line breaks and quotes in them."""
    configure_logs("mobile", "info")
    token = trace_id.set("ab" * 16)
    get_logger("test").info("something", value='a "quoted"\nline')
    logging.getLogger("a.library").warning("a library says %s", "no")
    trace_id.reset(token)
    get_logger("test").debug("not at this level")
    get_logger("test").info("outside")

    ours, theirs, outside = lines(capsys)
    assert (ours["event"], ours["value"], ours["level"]) == ("something", 'a "quoted"\nline', "info")
    assert (theirs["event"], theirs["level"]) == ("a library says no", "warning")
    assert {one["trace_id"] for one in (ours, theirs)} == {"ab" * 16}
    assert {one["service"] for one in (ours, theirs, outside)} == {"mobile"}
    assert "trace_id" not in outside


def test_an_exception_is_one_line_with_its_cause(capsys: pytest.CaptureFixture[str]) -> None:
    """A traceback never breaks the format."""
    configure_logs("mobile", "info")
    try:
        raise ZeroDivisionError("why")  # noqa: TRY301 - the point is the traceback
    except ZeroDivisionError:
        get_logger("test").exception("failed")

    (line,) = lines(capsys)
    assert "ZeroDivisionError: why" in str(line["exception"])


def test_httpx_does_not_log_urls(capsys: pytest.CaptureFixture[str]) -> None:
    """Its info lines carry them whole, with a query."""
    configure_logs("mobile", "info")
    logging.getLogger("httpx").info("HTTP Request: GET http://x/?token=secret")

    assert lines(capsys) == []
