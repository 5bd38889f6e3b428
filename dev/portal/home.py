"""The first page: the surfaces, how to call them, and every route of the edge with its policies."""

from dev.portal.html import Html, joined, tag
from dev.portal.layout import badge, example, page
from dev.portal.samples import ORIGIN, curl
from dev.portal.tree import Bff, Route


def home(bffs: tuple[Bff, ...], routes: tuple[Route, ...], *, ca: str, traces: str) -> str:
    """Return the page."""
    first = next((one for bff in bffs for one in bff.operations() if one.shown.startswith("GET ")), None)
    path = first.shown.partition(" ")[2] if first else "/"
    return page(
        "Developer portal",
        bffs,
        tag(
            "section",
            tag("h1", "What this system answers, and to whom"),
            tag(
                "p",
                "Everything here is read from the committed contracts and from the edge's own routes, on this "
                "machine. In production there is no portal.",
                class_="lead",
            ),
            class_="hero",
        ),
        tag("section", *(_card(one) for one in bffs), _one_more(), class_="cards", aria_label="Surfaces"),
        tag(
            "section",
            tag("h2", "A first call"),
            example("With curl, as the user above", curl("GET", ORIGIN + path, ca), send=True, path=path),
        ),
        tag("section", tag("h2", "Routes, in the order in which the edge asks them"), _table(routes)),
        traces=traces,
    )


def _card(bff: Bff) -> Html:
    count = len(bff.operations()) if bff.rest is not None else _fields(bff)
    what = "operations" if bff.rest is not None else "root fields"
    links = [tag("a", "Reference", href=f"/portal/{bff.name}", class_="button")]
    if bff.graph is not None:
        links.append(tag("a", "GraphiQL", href=f"/portal/{bff.name}/graphiql", class_="button"))
    limits = sorted({text.partition(":")[0] for route in bff.routes for text in route.says("limit")})
    return tag(
        "article",
        tag("h2", bff.name, tag("span", bff.style, class_="style")),
        tag("p", f"{count} {what}", class_="note"),
        tag("p", "limits: " + (", ".join(limits) or "none"), class_="note"),
        tag("div", *links, class_="buttons"),
        class_="card",
    )


def _one_more() -> Html:
    return tag(
        "article",
        tag("h2", "One more?"),
        tag("p", "A client with needs of its own gets a BFF of its own, which runs at once:", class_="note"),
        tag("pre", tag("code", "python -m dev new-bff partner")),
        class_="card more",
    )


def _fields(bff: Bff) -> int:
    roots = (bff.graph.query_type, bff.graph.mutation_type, bff.graph.subscription_type) if bff.graph else ()
    return sum(len(root.fields) for root in roots if root is not None)


def _table(routes: tuple[Route, ...]) -> Html:
    rows = [
        tag(
            "tr",
            tag("th", tag("code", one.match), tag("small", one.name), scope="row"),
            tag("td", *(badge(method) for method in one.methods or ("ANY",)), data_label="methods"),
            tag("td", _auth(one), data_label="auth"),
            tag("td", *(tag("div", _limit(text)) for text in one.says("limit")), data_label="limits"),
            tag("td", *one.says("timeout"), data_label="timeout"),
        )
        for one in routes
    ]
    head = tag("tr", *(tag("th", word, scope="col") for word in ("Route", "Methods", "Auth", "Limits", "Timeout")))
    return tag("table", tag("thead", head), tag("tbody", *rows), class_="routes")


def _limit(text: str) -> Html:
    name, _, rest = text.partition(": ")
    return joined((tag("b", name), f" {rest}"))


def _auth(route: Route) -> Html:
    said = route.says("auth")
    none = not said or said == ("none",)
    return tag("span", "anybody", class_="warn") if none else joined(tag("div", text) for text in said)
