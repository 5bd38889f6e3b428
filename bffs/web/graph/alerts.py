"""The alert family: one thing that the user should know, and the list of them all."""

from datetime import datetime

import strawberry

from bffs.web.backends import ALERTS_PAGE, AlertPayload
from bffs.web.context import WebContext, WebInfo
from bffs.web.graph.node import Node
from bffs.web.graph.pages import Asked, PageInfo, Place, page_info, places
from shared.backends.sections import Sections, required

# What cursors of these two lists are sealed for: a place of one is none of the other.
LIST = {False: "alerts", True: "unread alerts"}


@strawberry.type(description="One thing the user should know.")
class Alert(Node):
    """An alert."""

    id: strawberry.ID = strawberry.field(description="The alert's id.")
    severity: str = strawberry.field(description="`info`, `warning`, `critical`; expect others.")
    message: str = strawberry.field(description="What to know, for people.")
    created_at: datetime = strawberry.field(description="When it was raised.")
    read_at: datetime | None = strawberry.field(description="When it was marked as read; null: not yet.")


@strawberry.type(description="An alert in its place in the list.")
class AlertEdge:
    """An edge."""

    node: Alert | None = strawberry.field(description="The alert; null when it could not be read.")
    place: strawberry.Private[Place]

    @strawberry.field(description="What to send as `after` to read on from here.")
    def cursor(self, info: WebInfo) -> str:
        """Seal it."""
        return self.place.cursor(info.context)


@strawberry.type(description="A page of alerts, newest first.")
class AlertConnection:
    """A page."""

    edges: list[AlertEdge] = strawberry.field(description="The alerts with their places.")
    nodes: list[Alert | None] = strawberry.field(description="The alerts alone.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")


class AlertsSections(Sections):
    """A page of the list."""

    page = required(ALERTS_PAGE)


async def compose_alerts(context: WebContext, asked: Asked, *, unread: bool) -> AlertConnection:
    """Fetch a page of all alerts, or of those that are unread."""
    got = await context.fetch(
        AlertsSections,
        user_id=context.user.subject,
        limit=str(asked.first),
        after=asked.after,
        which="unread" if unread else "",
    )
    nodes = [alert_of(one) for one in got.page.items.root]
    here = list(places(got.page, asked, lambda one: f"{one.created},{one.id}"))
    edges = [AlertEdge(node=node, place=place) for node, place in zip(nodes, here, strict=True)]
    return AlertConnection(edges=edges, nodes=nodes, page_info=page_info(got.page, asked, here))


async def load_alert(context: WebContext, own_id: str) -> Alert | None:
    """Return one of the caller's alerts; None when there is none of that id."""
    return alert_of(await context.load.alerts.load(own_id))


def alert_of(found: AlertPayload | None) -> Alert | None:
    """Say an alert in the graph's words; what could not be read is null."""
    if found is None:
        return None
    return Alert(
        id=strawberry.ID(found.id),
        severity=found.severity,
        message=found.message,
        created_at=found.created_at,
        read_at=found.read_at,
    )
