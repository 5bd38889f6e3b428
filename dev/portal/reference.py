"""The reference of a REST surface: each operation with parameters, body, answers, and a call to copy and to send."""

import json
import re
from typing import Any

from dev.contracts.rest import Operation
from dev.portal.html import Html, prose, tag
from dev.portal.layout import badge, example, note, page, ways
from dev.portal.samples import ORIGIN, curl, value_for
from dev.portal.schemas import shown_schema
from dev.portal.tree import Bff


def reference(bff: Bff, bffs: tuple[Bff, ...], *, ca: str, traces: str) -> str:
    """Return the page."""
    found, about = bff.operations(), (bff.rest or {}).get("info", {})
    contents = tag(
        "nav",
        *(tag("a", badge(_method(one)), tag("span", _path(one)), href=f"#{_anchor(one)}") for one in found),
        class_="contents",
        aria_label="Operations",
    )
    title = tag("section", tag("h1", about["title"]), note(about.get("description")), class_="hero")
    sections = [_operation(bff, one, ca) for one in found]
    body = tag("div", contents, tag("div", title, *sections), class_="columns")
    return page(about["title"], bffs, body, here=bff.name, traces=traces, wide=True)


def _method(one: Operation) -> str:
    return one.shown.partition(" ")[0]


def _path(one: Operation) -> str:
    return one.shown.partition(" ")[2]


def _anchor(one: Operation) -> str:
    return str(one.body.get("operationId", one.shown.replace(" ", "-")))


def _operation(bff: Bff, one: Operation, ca: str) -> Html:
    method, path = _method(one), _path(one)
    link = tag("a", "#", href=f"#{_anchor(one)}", class_="anchor", aria_label="Link")
    head = tag("h2", badge(method), tag("code", path), link)
    return tag(
        "section",
        head,
        tag("p", tag("b", one.body.get("summary", "")), class_="summary"),
        note(one.body.get("description")),
        ways(bff.route_of(method, path)),
        _parameters(one),
        _body(one),
        _answers(one),
        _call(one, ca),
        class_="operation",
        id=_anchor(one),
    )


def _parameters(one: Operation) -> Html | None:
    if not one.parameters:
        return None
    rows = [
        tag(
            "li",
            tag("code", given["name"], class_="name"),
            tag("span", given["in"], class_="type"),
            tag("span", "required", class_="must") if given.get("required") else None,
            note(given.get("description") or given.get("schema", {}).get("description")),
        )
        for given in one.parameters.values()
    ]
    return tag("div", tag("h3", "Parameters"), tag("ul", *rows, class_="members"))


def _body(one: Operation) -> Html | None:
    if one.sent is None:
        return None
    (media, content), *_ = one.sent["content"].items()
    return tag("div", tag("h3", "Body ", tag("small", media)), shown_schema(one.schemas, content.get("schema", {})))


def _answers(one: Operation) -> Html:
    rows = [_answer(one, status, answer) for status, answer in sorted(one.answers.items())]
    return tag("div", tag("h3", "Answers"), *rows)


def _answer(one: Operation, status: str, answer: Any) -> Html:
    kind = "good" if status.startswith("2") else "quiet"
    text = tag("span", prose(answer.get("description", "")))
    said = tag("summary", tag("span", status, class_=f"status {kind}"), text)
    media: dict[str, Any] = next(iter(answer.get("content", {}).values()), {})
    inside = shown_schema(one.schemas, media["schema"]) if "schema" in media else note("No body.")
    return tag("details", said, inside, class_="outcome", open=status == "200")


def _call(one: Operation, ca: str) -> Html:
    method, path = _method(one), _path(one)
    for given in one.parameters.values():
        if given["in"] == "path":
            path = path.replace(f"{{{given['name']}}}", str(value_for(one.schemas, given.get("schema", {}))))
    asked = [given for given in one.parameters.values() if given["in"] == "query" and given.get("required")]
    if asked:
        path += "?" + "&".join(f"{given['name']}={value_for(one.schemas, given.get('schema', {}))}" for given in asked)
    headers = {
        given["name"]: re.sub(r"\W+", "-", str(value_for(one.schemas, given.get("schema", {}))))
        for given in one.parameters.values()
        if given["in"] == "header" and given.get("required")
    }
    body, media = None, "application/json"
    if one.sent is not None:
        (media, content), *_ = one.sent["content"].items()
        body = value_for(one.schemas, content.get("schema", {}))
    text = curl(method, ORIGIN + path, ca, body=body, media=media, headers=headers)
    # The page sends what changes nothing; the rest is for a terminal, where one sees what one does.
    sent = json.dumps(body) if body else ""
    return example("Example", text, send=method == "GET", method=method, path=path, body=sent)
