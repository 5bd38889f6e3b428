"""Which form an answer has, by ``Accept``; which bodies are read, by ``Content-Type``."""

import json

import pytest

from bffs.web.media import LEGACY, LONGEST_REMEMBERED, MODERN, UNSAID, Form, form_for
from shared.errors import ProblemCode, ProblemError
from shared.testing.sockets import SocketBackends
from tests.bffs.web.web import PATH, Web

GRAPHQL = "application/graphql-response+json"
QUERY = "{ viewer { tier } }"
CHANGE = 'mutation { updateProfile(input: {version: "1", displayName: "Eve"}) { userErrors { message } } }'

CHOSEN: dict[str, Form] = {
    "": UNSAID,
    " , ,": UNSAID,
    "*/*": UNSAID,
    "application/*": UNSAID,
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": UNSAID,
    "application/json": LEGACY,
    "Application/JSON ; Charset=UTF-8": LEGACY,
    'application/json;charset="utf-8"': LEGACY,
    "application/json, text/plain, */*": LEGACY,  # axios
    "application/json;q=0.001": LEGACY,
    GRAPHQL: MODERN,
    GRAPHQL.upper(): MODERN,
    f"{GRAPHQL};charset=utf-8": MODERN,
    f"{GRAPHQL},application/json;q=0.9": MODERN,  # Apollo Client
    f"{GRAPHQL}, application/graphql+json, application/json, text/event-stream, multipart/mixed": MODERN,  # urql
    f"application/json, {GRAPHQL}": MODERN,
    f"*/*, {GRAPHQL}": MODERN,
    f"{GRAPHQL};q=0.5, application/json;q=0.6": LEGACY,
    f"{GRAPHQL};q=0.5, */*;q=0.6": UNSAID,
    f"{GRAPHQL};q=0, */*": UNSAID,
    f"{GRAPHQL};q=0, application/json": LEGACY,
    "application/json;q=0, */*": MODERN,
    "application/json;q=0, application/*;q=0.1": MODERN,
    "application/*;q=0, */*, application/json": LEGACY,
    f"{GRAPHQL};q=0.8, {GRAPHQL};charset=utf-8;q=0.9, application/json;q=0.85": MODERN,
    f"{GRAPHQL};q=7, application/json": LEGACY,  # a weight that is none says nothing
    "text/plain;x=" + "y" * LONGEST_REMEMBERED + ", application/json": LEGACY,
}


@pytest.mark.parametrize(("accept", "form"), CHOSEN.items())
def test_the_form_is_what_the_client_likes_best(accept: str, form: Form) -> None:
    """Weights first, then what is named before what a wildcard covers; the same when it is asked again."""
    assert (form_for(accept), form_for(accept)) == (form, form)


NEITHER = [
    "text/html",
    "application/xml, text/*",
    "application/json;q=0",
    "*/*;q=0",
    "application/*;q=0.000",
    f"{GRAPHQL};q=0, application/json;q=0",
    "application/json;charset=utf-16",
    "application/json;q=none",
    "json",
    ";;=,;q",
    "text/plain;x=" + "y" * LONGEST_REMEMBERED,
]


@pytest.mark.parametrize("accept", NEITHER)
def test_who_takes_neither_is_refused(accept: str) -> None:
    """With what to send instead; each time."""
    for _ in range(2):
        with pytest.raises(ProblemError, match=r"application/json") as refused:
            form_for(accept)
        assert refused.value.code is ProblemCode.NOT_ACCEPTABLE


STATUSES = {
    GRAPHQL: (400, GRAPHQL),
    "application/json": (200, "application/json"),
    "*/*": (400, "application/json"),
}


@pytest.mark.parametrize(("accept", "refusal"), STATUSES.items())
async def test_the_form_has_the_status_of_what_was_not_executed(
    web: Web, accept: str, refusal: tuple[int, str]
) -> None:
    """By POST and by GET: data is 200 in every form; a document that does not fit, and a missing variable, are not."""
    variable = "query ($x: Boolean!) { viewer { tier @skip(if: $x) } }"
    for text, expected in ((QUERY, (200, refusal[1])), ("{", refusal), ("{ nothing }", refusal), (variable, refusal)):
        headers = {"accept": accept}
        answers = [
            await web.query(text, headers=headers),
            await web.http.get(PATH, params={"query": text}, headers=headers),
        ]
        for answer in answers:
            assert (answer.status_code, answer.headers["content-type"]) == expected
            assert ("data" in answer.json(), "errors" in answer.json()) == (text == QUERY, text != QUERY)
        if text != QUERY:
            assert answers[1].headers["cache-control"] == "no-store"


async def test_nothing_is_executed_for_who_cannot_read_the_answer(web: Web, backends: SocketBackends) -> None:
    """406 as a problem, for a query and for a change, before any backend is asked."""
    headers = {"accept": "text/html"}
    answers = [await web.query(text, headers=headers) for text in (QUERY, CHANGE)]
    answers.append(await web.http.get(PATH, params={"query": QUERY}, headers=headers))

    for answer in answers:
        assert (answer.status_code, answer.headers["content-type"]) == (406, "application/problem+json")
        assert answer.json()["code"] == "not_acceptable"
    assert backends.counts() == {}


async def test_a_kept_answer_is_of_one_form(web: Web) -> None:
    """The validator of one form is none of the other's, and caches are told what an answer depends on."""
    first, other = [
        await web.http.get(PATH, params={"query": QUERY}, headers={"accept": accept})
        for accept in (GRAPHQL, "application/json")
    ]
    known = {"accept": "application/json", "if-none-match": first.headers["etag"]}

    assert first.content == other.content
    assert first.headers["vary"] == other.headers["vary"] == "Authorization, Accept"
    assert (await web.http.get(PATH, params={"query": QUERY}, headers=known)).status_code == 200


CHARSETS = {
    "application/json; charset=utf-8": 200,
    'application/json;charset="UTF-8"': 200,
    "application/json; charset=utf8": 200,
    "application/json; charset=utf-16": 415,
    "application/json; charset=latin-1": 415,
    "application/json; charset=": 415,
    "application/json; x=" + "y" * LONGEST_REMEMBERED: 200,
    "text/plain; x=" + "y" * LONGEST_REMEMBERED: 415,
    f"{GRAPHQL}": 415,
}


@pytest.mark.parametrize(("content_type", "status"), CHARSETS.items())
async def test_case_w7_a_body_is_json_in_utf_8(web: Web, content_type: str, status: int) -> None:
    """In another encoding it is refused before it is read."""
    body = json.dumps({"query": "{ viewer { tier } } # 🏃"}, ensure_ascii=False).encode()

    answer = await web.post(body, headers={"content-type": content_type})

    assert answer.status_code == status, answer.text
