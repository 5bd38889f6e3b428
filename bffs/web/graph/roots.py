"""The roots: what a page can ask for, and what it can change. Each field says what it costs."""

from typing import Annotated

import strawberry

from bffs.web.context import WebInfo
from bffs.web.costs import Cost
from bffs.web.graph.alerts import LIST as ALERTS
from bffs.web.graph.alerts import AlertConnection, compose_alerts, load_alert
from bffs.web.graph.changes import (
    Changes,
    Ids,
    MarkAlertsReadPayload,
    UpdateProfilePayload,
    mark_alerts_read,
    update_profile,
)
from bffs.web.graph.dashboard import Dashboard, compose_dashboard
from bffs.web.graph.node import Node, unpack
from bffs.web.graph.orders import LIST as ORDERS
from bffs.web.graph.orders import Order, OrderConnection, compose_orders, load_order, load_product
from bffs.web.graph.pages import PAGE, SIZED, After, First, page_of
from bffs.web.graph.viewer import Viewer, compose_viewer

OrderId = Annotated[strawberry.ID, strawberry.argument(description="The order's id.")]
NodeId = Annotated[strawberry.ID, strawberry.argument(description="A `nodeId` that was read before.")]
Unread = Annotated[bool, strawberry.argument(description="Leave out those that were marked as read.")]


@strawberry.type(description="What a page can ask for. A field that fails is null and leaves its siblings.")
class Query:
    """The root."""

    @strawberry.field(description="The first page, in one operation.", directives=[Cost(weight=3)])
    async def dashboard(self, info: WebInfo) -> Dashboard | None:
        """Compose it of the sections behind the fields that were asked for."""
        return await compose_dashboard(info.context, info.asked)

    @strawberry.field(description="Who is signed in; an error when not known.", directives=[Cost(weight=1)])
    async def viewer(self, info: WebInfo) -> Viewer | None:
        """Fetch the profile, or the record."""
        return await compose_viewer(info.context, info.asked)

    @strawberry.field(description="The user's orders, newest first.", directives=[Cost(weight=1), SIZED])
    async def orders(self, info: WebInfo, first: First = PAGE, after: After = None) -> OrderConnection | None:
        """Fetch a page."""
        return await compose_orders(info.context, page_of(info.context, first, after, ORDERS))

    @strawberry.field(description="One of the user's orders; null when there is none of that id.")
    async def order(self, info: WebInfo, id: OrderId) -> Order | None:  # noqa: A002 - the graph's word
        """Load it, with whatever other orders are asked for."""
        return await load_order(info.context, id)

    @strawberry.field(description="The user's alerts, newest first.", directives=[Cost(weight=1), SIZED])
    async def alerts(
        self, info: WebInfo, first: First = PAGE, after: After = None, unread: Unread = False  # noqa: FBT002 - the graph's words
    ) -> AlertConnection | None:  # fmt: skip
        """Fetch a page."""
        asked = page_of(info.context, first, after, ALERTS[unread])
        return await compose_alerts(info.context, asked, unread=unread)

    @strawberry.field(
        description="Anything that has a `nodeId`; null when it is gone, or another user's.",
        directives=[Cost(weight=1)],
    )
    async def node(self, info: WebInfo, node_id: NodeId) -> Node | None:
        """Load it by its kind."""
        kind, own_id = unpack(node_id)
        match kind:
            case "Order":
                return await load_order(info.context, own_id)
            case "Alert":
                return await load_alert(info.context, own_id)
            case "Product":
                return await load_product(info.context, own_id)
            case "Viewer" if own_id == info.context.user.subject:
                return await compose_viewer(info.context, info.asked)
        return None


@strawberry.type(description="What a page can change. What the user can mend is in `userErrors`.")
class Mutation:
    """The root of changes; they happen one after the other."""

    @strawberry.mutation(
        description="Change what is given of the profile, if it is still the version that was read.",
        directives=[Cost(weight=10)],
    )
    async def update_profile(self, info: WebInfo, wanted: Changes) -> UpdateProfilePayload | None:
        """Patch the record."""
        return await update_profile(info.context, wanted)

    @strawberry.mutation(description="Mark alerts as read; again is no change.", directives=[Cost(weight=10)])
    async def mark_alerts_read(self, info: WebInfo, ids: Ids) -> MarkAlertsReadPayload | None:
        """Mark them."""
        return await mark_alerts_read(info.context, ids)
