"""What a status, a header and a foreign exception mean in our words."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.backends.channel import PlainReply
from shared.backends.failures import failure_of, failure_of_status, retry_after
from shared.errors import (
    AttemptTimedOut,
    BackendFaulted,
    BackendInvalid,
    BackendRefused,
    BackendUnreachable,
    CallFailed,
)

NOW_S = 2_051_222_400.0  # 2035-01-01T00:00:00Z


@pytest.mark.parametrize("status", [200, 201, 204, 206, 299])
def test_success_is_no_failure(status: int) -> None:
    """All of 2xx."""
    assert failure_of_status("orders", PlainReply(status, b""), NOW_S) is None


@pytest.mark.parametrize(
    ("status", "kind", "transient"),
    [
        (301, BackendInvalid, False),
        (304, BackendInvalid, False),
        (400, BackendRefused, False),
        (401, BackendRefused, False),
        (404, BackendRefused, False),
        (408, BackendRefused, True),
        (425, BackendRefused, True),
        (429, BackendRefused, True),
        (500, BackendFaulted, False),
        (501, BackendFaulted, False),
        (502, BackendFaulted, True),
        (503, BackendFaulted, True),
        (504, BackendFaulted, True),
        (599, BackendFaulted, False),
    ],
)
def test_what_a_status_means(status: int, kind: type[CallFailed], transient: bool) -> None:
    """A redirect is no answer; 4xx is ours to fix, 5xx theirs; few of them may be better in a moment."""
    failure = failure_of_status("orders", PlainReply(status, b"secret", (("retry-after", "3"),)), NOW_S)

    assert type(failure) is kind
    assert failure.transient is transient
    assert failure.retry_after == (None if kind is BackendInvalid else timedelta(seconds=3))
    assert "secret" not in str(failure)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("0", 0),
        ("Mon, 01 Jan 2035 00:02:00 GMT", 120),
        ("Monday, 01-Jan-35 00:02:00 GMT", 120),
        ("Mon, 01 Jan 2035 01:02:00 +0100", 120),
        ("Mon, 01 Jan 2035 00:02:00", 120),
        ("Mon Jan  1 00:02:00 2035", 120),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: int) -> None:
    """All forms of RFC 9110 §10.2.3, against the clock that is handed in."""
    assert retry_after(value, NOW_S) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "soon",
        "-1",
        "1.5",
        "1e3",
        "٣",
        "Sun, 31 Dec 2034 23:59:59 GMT",
        "Mon, 01 Jan 0001 00:00:00 GMT",
        "Mon, 01 Jan 9999 00:00:00 GMT",
        "Mon, 01 Jan 2035 00:02:00 +99999999999999999999",
        "Mon, 99 Jan 2035 00:02:00 GMT",
        "9" * 7,
        "9" * 5000,
        "1000000",
    ],
    ids=ascii,
)
def test_garbage_the_past_and_the_far_future_count_as_not_given(value: str | None) -> None:
    """And nothing a backend writes there is an exception of ours."""
    assert retry_after(value, NOW_S) is None


DATE_PARTS = st.sampled_from(
    ["Mon,", "01", "Jan", "2035", "00:02:00", "GMT", "+0100", "-", "+99999", "9" * 30, ":", ","]
)


@given(value=st.one_of(st.text(max_size=40), st.lists(DATE_PARTS, max_size=8).map(" ".join)))
def test_no_retry_after_is_an_exception(value: str) -> None:
    """It is the word of a stranger, read by a parser of mail."""
    assert (retry_after(value, NOW_S) or timedelta(0)) >= timedelta(0)


REQUEST = httpx.Request("GET", "http://user:secret@orders.internal/x?token=secret")


def exceptions(root: type[httpx.HTTPError]) -> list[type[httpx.HTTPError]]:
    return [kind for sub in root.__subclasses__() for kind in (sub, *exceptions(sub))]


@pytest.mark.parametrize("kind", [k for k in exceptions(httpx.HTTPError) if k is not httpx.HTTPStatusError])
def test_every_exception_of_httpx_has_a_meaning(kind: type[Any]) -> None:
    """One of ours, never with httpx's text: it may hold a URL with a credential."""
    failure = failure_of("orders", kind("https://user:secret@host/x?token=secret"))

    assert isinstance(failure, AttemptTimedOut | BackendUnreachable | BackendInvalid)
    assert "secret" not in f"{failure!s}{failure!r}{failure.args}"


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        (httpx.ConnectError, False),
        (httpx.ConnectTimeout, False),
        (httpx.PoolTimeout, False),
        (httpx.ReadError, True),
        (httpx.WriteError, True),
        (httpx.CloseError, True),
        (httpx.RemoteProtocolError, True),
    ],
)
def test_only_a_failure_to_connect_proves_that_nothing_was_sent(kind: type[Any], sent: bool) -> None:
    """The one case in which a POST may be tried again."""
    failure = failure_of("orders", kind("x"))

    assert isinstance(failure, BackendUnreachable)
    assert failure.sent is sent
