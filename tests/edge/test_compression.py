"""Compressed answers: correct for caches, for validators, and left alone where they must be."""

import gzip
import json
from pathlib import Path

import pytest

LARGE = json.dumps([{"id": number, "text": "the same again"} for number in range(200)]).encode()


@pytest.fixture(scope="module")
def edge(new_edge):
    return new_edge(Path(__file__).with_name("access.yaml").read_text())


@pytest.fixture
def client(edge):
    with edge.client(headers={"accept-encoding": "identity"}) as made:
        yield made


def raw(client, path: str, coding: str, **headers: str):
    with client.stream("GET", path, headers={"accept-encoding": coding, **headers}) as answer:
        return answer, b"".join(answer.iter_raw())


@pytest.mark.parametrize(
    ("asked", "coding"),
    [("gzip", "gzip"), ("br", "br"), ("zstd", "zstd"), ("gzip, deflate, br, zstd", "br"),
     ("gzip;q=1, br;q=0.5", "gzip"), ("identity", None), ("br;q=0", None), ("deflate", None)],
)  # fmt: skip
def test_the_client_chooses_the_coding(client, echo, asked, coding):
    """What it likes best of ours, in a tenth of the bytes; caches are told that it was a choice."""
    echo.answers["/open/large"] = echo.reply(200, LARGE)
    answer, body = raw(client, "/open/large", asked)
    assert answer.headers.get("content-encoding") == coding
    assert "accept-encoding" in answer.headers["vary"].lower()
    assert len(body) < len(LARGE) // 5 if coding else body == LARGE
    if coding == "gzip":
        assert gzip.decompress(body) == LARGE


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_case_e8_a_compressed_answer_keeps_a_validator_that_works(client, echo, coding):
    """Weak for A, whose repeat is a 304 without a body; strong and plain for B; C, without one, gets everything."""

    def answer() -> bytes:
        headers = {name.lower(): value for name, value in echo.seen[-1]["headers"]}
        known = headers.get("if-none-match", "").removeprefix("W/")  # the weak comparison of RFC 9110 §13.1.2
        if known == '"abc"':
            return b'HTTP/1.1 304 Not Modified\r\netag: "abc"\r\nvary: accept-encoding\r\n\r\n'
        return echo.reply(200, LARGE, 'etag: "abc"')

    echo.answers["/open/tagged"] = answer
    first, packed = raw(client, "/open/tagged", coding)
    assert first.headers["content-encoding"] == coding
    assert first.headers["etag"] == 'W/"abc"'
    again, body = raw(client, "/open/tagged", coding, **{"if-none-match": first.headers["etag"]})
    assert (again.status_code, body) == (304, b"")
    plain, body = raw(client, "/open/tagged", "identity")
    assert (plain.headers["etag"], body) == ('"abc"', LARGE)
    third, body = raw(client, "/open/tagged", coding)
    assert (third.status_code, body) == (200, packed)
    assert coding != "gzip" or gzip.decompress(body) == LARGE


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", "Text/HTML", "application/graphql-response+json"])
def test_a_media_type_is_known_in_any_spelling(client, echo, media):
    """With parameters, and in capitals (RFC 9110 §8.3.1)."""
    echo.answers["/open/spelled"] = echo.reply(200, LARGE, media=media)
    answer, _ = raw(client, "/open/spelled", "gzip")
    assert answer.headers.get("content-encoding") == "gzip"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/open/picture", ("content-type: image/png",)),
        ("/open/kept", ("cache-control: no-transform",)),
        ("/open/packed", ("content-encoding: gzip",)),
        ("/secret", ()),
    ],
)
def test_some_answers_are_left_alone(client, echo, path, headers):
    """What is packed already, what says so, and what a route exempts."""
    media = next((one.split(": ")[1] for one in headers if one.startswith("content-type")), "application/json")
    others = [one for one in headers if not one.startswith("content-type")]
    echo.answers[path] = echo.reply(200, LARGE, *others, media=media)
    answer, body = raw(client, path, "br, gzip")
    assert body == LARGE
    assert answer.headers.get("content-encoding") == ("gzip" if path == "/open/packed" else None)


def test_a_small_answer_is_not_worth_it(client, echo):
    """Below a packet nothing is saved."""
    echo.answers["/open/small"] = echo.reply(200, b'{"a":1}')
    answer, body = raw(client, "/open/small", "gzip")
    assert ("content-encoding" in answer.headers, body) == (False, b'{"a":1}')


def test_the_upstream_is_asked_for_plain_answers(client, echo):
    """One of the two compresses: the edge."""
    echo.seen.clear()
    raw(client, "/open/asked", "gzip")
    assert "accept-encoding" not in {name.lower() for name, _ in echo.seen[-1]["headers"]}
