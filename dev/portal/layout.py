"""What every page has: the top with the signed-in user, the way around, and the parts that pages are made of."""

from collections.abc import Iterable

from dev.portal.html import Html, Part, joined, prose, tag
from dev.portal.tree import Bff, Route

ICON = Html('<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M3 21V8l9-5 9 5v13M3 12h18M9 21v-6h6v6"/></svg>')


def page(title: str, bffs: Iterable[Bff], *content: Part, here: str = "", traces: str = "", wide: bool = False) -> str:
    """Return a whole document."""
    links = [(f"/portal/{one.name}", one.name, one.style) for one in bffs]
    around = tag(
        "nav",
        *(
            tag("a", name, tag("small", style), href=link, aria_current="page" if here == name else None)
            for link, name, style in links
        ),
        tag("a", "Traces", tag("small", "↗"), href=traces, target="_blank", rel="noreferrer"),
        aria_label="Surfaces",
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{title} · Frontage"),
        tag("link", rel="icon", href="/portal/static/icon.svg", type="image/svg+xml"),
        tag("link", rel="stylesheet", href="/portal/static/portal.css"),
        tag("script", src="/portal/static/portal.js", type="module"),
    )
    top = tag("header", tag("a", ICON, "Frontage", href="/portal/", class_="home"), around, _signed_in(), class_="top")
    body = tag("body", top, tag("main", *content, class_="wide" if wide else None), data_traces=traces)
    return "<!doctype html>" + tag("html", head, body, lang="en")


def _signed_in() -> Html:
    users = [tag("option", f"u-{number}", value=f"u-{number}") for number in range(1, 6)]
    return tag(
        "div",
        tag("label", tag("span", "Signed in as"), tag("select", *users, id="user")),
        tag("button", "Copy token", id="copy-token", type="button", disabled=True),
        class_="user",
    )


def badge(method: str) -> Html:
    """Show a method."""
    return tag("span", method, class_=f"method {method.lower()}")


def ways(route: Route | None) -> Html:
    """Show who may pass a route and how often, as ``explain`` says it."""
    if route is None:
        return tag("p", "No route of the edge leads here.", class_="warn")
    rows = [(word, text) for word, text in route.way if word in {"auth", "limit", "timeout", "priority", "maintenance"}]
    terms = [joined((tag("dt", word), tag("dd", _said(word, text)))) for word, text in rows]
    return tag("dl", *terms, class_="ways", aria_label=f"What stands on the way of {route.name}")


def _said(word: str, text: str) -> Html:
    if word == "auth" and text == "none":
        return tag("span", "anybody may call", class_="warn")
    name, _, rest = text.partition(" " if word == "auth" else ": ")
    return joined((tag("b", name), f" {rest}" if rest else "")) if word in {"auth", "limit"} else joined((text,))


def example(title: str, text: str, *, send: bool = False, method: str = "GET", path: str = "", body: str = "") -> Html:
    """Show a call to copy; ``send``: the page can make it itself."""
    buttons = [tag("button", "Copy", type="button", class_="copy")]
    if send:
        buttons.append(
            tag("button", "Send", type="button", class_="send", data_method=method, data_path=path, data_body=body)
        )
    head = tag("div", tag("h4", title), tag("div", *buttons, class_="buttons"), class_="bar")
    answer = tag("div", class_="answer", hidden=True, aria_live="polite")
    return tag("div", head, tag("pre", tag("code", text), tabindex="0"), answer, class_="example")


def note(text: str | None) -> Html | None:
    """Show a description."""
    return tag("p", prose(text), class_="note") if text else None
