"""What a transport's failure, and what a backend's status, means. httpx's exceptions are named here only.

Most specific first: the first row that fits wins.
"""

import asyncio
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from shared.backends.channel import Reply
from shared.errors import (
    AttemptTimedOut,
    BackendFaulted,
    BackendInvalid,
    BackendRefused,
    BackendUnreachable,
    CallError,
    CallFailed,
)

# Eleven days: a backend that names a later time has a wrong clock, or will be another backend by then.
LONGEST_WAIT: Final = timedelta(seconds=999_999)

# The backend took it back, or the caller's right to see it: RFC 9110 §15.5.2, .4, .5, .11.
WITHDRAWN: Final = frozenset({401, 403, 404, 410})

# Whether any byte of the request can have left us when this was raised.
CONNECTING: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

FAILURES: Final[tuple[tuple[type[httpx.HTTPError], type[CallFailed]], ...]] = (
    (httpx.TimeoutException, AttemptTimedOut),
    (httpx.DecodingError, BackendInvalid),
    (httpx.TransportError, BackendUnreachable),
    (httpx.HTTPError, BackendInvalid),
)


def failure_of(backend: str, error: httpx.HTTPError) -> CallFailed:
    """Say an httpx exception in our words; never its text, which may hold a URL."""
    if isinstance(error, CONNECTING):
        return BackendUnreachable(backend, type(error).__name__, sent=False)
    kind = next(ours for theirs, ours in FAILURES if isinstance(error, theirs))
    return kind(backend, type(error).__name__)


def failure_of_bug(backend: str, bug: Exception) -> CallFailed:
    """Say what nobody expected of a channel, where there is no caller to raise it to; the loop logs it."""
    told = {"message": f"sending to {backend} failed", "exception": bug}
    asyncio.get_running_loop().call_exception_handler(told)
    return BackendUnreachable(backend, type(bug).__name__)


def failure_of_status(backend: str, reply: Reply, wall_s: float) -> CallFailed | None:
    """Say what a status means: None for 2xx. A redirect is no answer: nobody follows where a backend points."""
    status = reply.status
    if 200 <= status < 300:  # noqa: PLR2004 - HTTP 2xx
        return None
    if status >= 500:  # noqa: PLR2004 - HTTP 5xx
        return BackendFaulted(backend, status, retry_after=retry_after(reply.header("retry-after"), wall_s))
    if status >= 400:  # noqa: PLR2004 - HTTP 4xx
        return BackendRefused(backend, status, retry_after=retry_after(reply.header("retry-after"), wall_s))
    return BackendInvalid(backend, f"answered {status}")


def withdraws(error: CallError | None) -> bool:
    """Tell whether a failure says that an older value is not to be shown any more."""
    return isinstance(error, BackendRefused) and error.status in WITHDRAWN


def retry_after(value: str | None, wall_s: float) -> timedelta | None:
    """Read Retry-After (RFC 9110 §10.2.3): seconds or a date; garbage, the past and the far future do not count."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        left_s = float(value)
    else:
        try:
            moment = parsedate_to_datetime(value)
            left_s = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - wall_s
        except (ValueError, OverflowError, TypeError, IndexError):  # a parser of mail, fed by a stranger
            return None
        if left_s <= 0:
            return None
    return timedelta(seconds=left_s) if left_s <= LONGEST_WAIT.total_seconds() else None
