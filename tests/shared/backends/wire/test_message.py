"""HTTP/1.1 messages as bytes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.backends.wire.message import WireReply, final_head, write_request
from tests.shared.backends.raw import request


def test_a_request_is_written_in_one_piece() -> None:
    """Start line, host, headers in order, no length for a body that does not exist."""
    head = write_request(request(target="/x?y=1", headers=(("accept", "a"), ("traceparent", "t"))), "orders:8102")

    assert head.raw == b"GET /x?y=1 HTTP/1.1\r\nhost: orders:8102\r\naccept: a\r\ntraceparent: t\r\n\r\n"


@pytest.mark.parametrize(
    ("method", "body"), [("POST", b""), ("PUT", b""), ("PATCH", b""), ("POST", b"{}"), ("GET", b"{}")]
)
def test_a_body_or_a_method_that_expects_one_has_a_length(method: str, body: bytes) -> None:
    """RFC 9110 §8.6: also zero, for methods that mean something by a body."""
    raw = write_request(request(method, body=body), "h").raw

    assert raw.count(b"content-length") == 1
    assert b"content-length: %d\r\n" % len(body) in raw
    assert raw.endswith(b"\r\n\r\n" + body)


EVIL = ["a\r\nx-evil: 1", "a\nx-evil: 1", "a\rb", "a\r\n\r\nGET /evil HTTP/1.1\r\n"]


@pytest.mark.parametrize("evil", EVIL, ids=ascii)
@pytest.mark.parametrize("place", ["target", "value", "name", "method"])
def test_nothing_breaks_out_of_its_line(place: str, evil: str) -> None:
    """A header value, name, target or method with a line break is refused before anything is sent."""
    given: dict[str, dict[str, Any]] = {
        "target": {"target": f"/{evil}"},
        "value": {"headers": (("tracestate", evil),)},
        "name": {"headers": ((evil, "1"),)},
        "method": {"method": evil},
    }

    with pytest.raises(ValueError, match="line break"):
        write_request(request(**given[place]), "h")


@given(value=st.text(max_size=40))
def test_whatever_a_header_holds_it_stays_one_line(value: str) -> None:
    """Written as that one header, or refused: never a second line."""
    try:
        raw = write_request(request(headers=(("x", value),)), "h").raw
    except ValueError:
        return
    assert raw.count(b"\r\n") == 4
    assert raw.count(b"\n") == raw.count(b"\r") == 4


FINAL = b"HTTP/1.1 200 OK\r\ncontent-length: 2"


@pytest.mark.parametrize(
    "raw",
    [
        FINAL + b"\r\n\r\n[]",
        b"HTTP/1.1 100 Continue\r\n\r\n" + FINAL + b"\r\n\r\n[]",
        b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 100 C\r\n\r\n" + FINAL + b"\r\n\r\n[]",
        b"\r\n\r\n" + FINAL + b"\r\n\r\n[]",
        b"\r\nHTTP/1.1 100 Continue\r\n\r\n\r\n" + FINAL + b"\r\n\r\n[]",
    ],
)
def test_the_final_head_is_found_behind_preludes(raw: bytes) -> None:
    """1xx answers and empty lines come before it, its body after it."""
    assert final_head(raw, 1000) == FINAL


def test_headers_are_read_when_asked_for() -> None:
    """Names in lower case, values without the space around them, order and repetition kept."""
    reply = WireReply(200, b"", b"HTTP/1.1 200 OK\r\nX-A:1\r\nx-b:  two words \r\nx-a: \xe9:2")

    assert reply.headers == (("x-a", "1"), ("x-b", "two words"), ("x-a", "\xe9:2"))
    assert reply.header("x-a") == "1"
    assert reply.header("x-c") is None


def test_a_few_headers_are_found_without_reading_the_others() -> None:
    """Whatever their case, in order, each line of its own; a name within a value or a longer name is none."""
    head = b"HTTP/1.1 200 OK\r\nAge:1\r\nx-age: 2\r\nx: age: 3\r\nVARY:  a \r\nx-vary: b\r\nvary: \xe9\r\nage-: 4"
    reply = WireReply(200, b"", head)

    assert reply.headers_among(frozenset({b"age", b"vary"})) == (("age", "1"), ("vary", "a"), ("vary", "\xe9"))
