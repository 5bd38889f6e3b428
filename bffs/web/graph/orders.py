"""The order family: an order, what it is made of, who ordered it, and the list of them all.

Lines, products and customers come through the request's loaders: a list of fifty orders asks each backend once.
"""

from datetime import datetime
from decimal import Decimal

import strawberry

from bffs.web.backends import ORDERS_PAGE, LinePayload, LinesPayload, OrderPayload, ProductPayload, UserPayload
from bffs.web.context import WebContext, WebInfo
from bffs.web.costs import ListSize
from bffs.web.graph.node import Node
from bffs.web.graph.pages import Asked, PageInfo, Place, page_info, places
from shared.backends.sections import Sections, required

# What a cursor of this list is sealed for.
LIST = "orders"


@strawberry.type(description="What a line of an order is about.")
class Product(Node):
    """A product."""

    id: strawberry.ID = strawberry.field(description="The product's id.")
    name: str = strawberry.field(description="What it is called.")
    category: str = strawberry.field(description="What it is sold under, in the shop's own words.")


@strawberry.type(description="One line of an order.")
class OrderLine:
    """A line."""

    name: str = strawberry.field(description="What was ordered, as it was called then.")
    quantity: int = strawberry.field(description="How many.")
    unit_amount: Decimal = strawberry.field(description="What one costs, in `currency`.")
    amount: Decimal = strawberry.field(description="What they cost together, in `currency`.")
    currency: str = strawberry.field(description="ISO 4217.")
    product_id: strawberry.Private[str]

    @strawberry.field(description="The product; null when the shop has it no more.")
    def product(self, info: WebInfo) -> Product | None:
        """Load it."""
        return info.context.load.products.promise(self.product_id, product_of)  # type: ignore[no-any-return]  # soon


@strawberry.type(description="Who ordered: what an order shows of a user.")
class Customer:
    """A customer."""

    id: strawberry.ID = strawberry.field(description="The user's id.")
    display_name: str = strawberry.field(description="What to call them.")
    tier: str = strawberry.field(description="The account's tier.")


@strawberry.type(description="One order.")
class Order(Node):
    """An order."""

    id: strawberry.ID = strawberry.field(description="Text: a number this large is more than JavaScript holds.")
    status: str = strawberry.field(description="How far it is, in the shop's own words.")
    amount: Decimal = strawberry.field(description="What it cost, in `currency`.")
    currency: str = strawberry.field(description="ISO 4217.")
    placed_at: datetime = strawberry.field(description="When it was placed.")
    customer_id: strawberry.Private[str]

    @strawberry.field(
        description="What it is made of; a line that could not be read is null.", directives=[ListSize(assumed_size=5)]
    )
    def lines(self, info: WebInfo) -> list[OrderLine | None] | None:
        """Load them."""
        return info.context.load.lines.promise(self.id, lines_of)  # type: ignore[no-any-return]  # soon

    @strawberry.field(description="Who ordered it; null when they are not with us any more.")
    def customer(self, info: WebInfo) -> Customer | None:
        """Load them."""
        whose = self.customer_id or info.context.user.subject
        return info.context.load.customers.promise(whose, customer_of)  # type: ignore[no-any-return]  # soon


@strawberry.type(description="An order in its place in the list.")
class OrderEdge:
    """An edge."""

    node: Order | None = strawberry.field(description="The order; null when it could not be read.")
    place: strawberry.Private[Place]

    @strawberry.field(description="What to send as `after` to read on from here.")
    def cursor(self, info: WebInfo) -> str:
        """Seal it."""
        return self.place.cursor(info.context)


@strawberry.type(description="A page of orders, newest first.")
class OrderConnection:
    """A page."""

    edges: list[OrderEdge] = strawberry.field(description="The orders with their places.")
    nodes: list[Order | None] = strawberry.field(description="The orders alone.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")


class OrdersSections(Sections):
    """A page of the list."""

    page = required(ORDERS_PAGE)


async def compose_orders(context: WebContext, asked: Asked) -> OrderConnection:
    """Fetch a page."""
    got = await context.fetch(OrdersSections, user_id=context.user.subject, limit=str(asked.first), after=asked.after)
    nodes = [order_of(one) for one in got.page.items.root]
    here = list(places(got.page, asked, lambda one: f"{one.placed},{one.id}"))
    edges = [OrderEdge(node=node, place=place) for node, place in zip(nodes, here, strict=True)]
    return OrderConnection(edges=edges, nodes=nodes, page_info=page_info(got.page, asked, here))


async def load_order(context: WebContext, own_id: str) -> Order | None:
    """Return one of the caller's orders; None when there is none of that id."""
    return order_of(await context.load.orders.load(own_id))


async def load_product(context: WebContext, own_id: str) -> Product | None:
    """Return a product; None when there is none of that id."""
    found = await context.load.products.load(own_id)
    return None if found is None else product_of(found)


def product_of(found: ProductPayload) -> Product:
    """Say a product in the graph's words."""
    return Product(id=strawberry.ID(found.id), name=found.name, category=found.category)


def customer_of(found: UserPayload) -> Customer:
    """Say a customer in the graph's words."""
    return Customer(id=strawberry.ID(found.user_id), display_name=found.display_name, tier=found.account_tier)


def lines_of(found: LinesPayload) -> list[OrderLine | None]:
    """Say what an order is made of; a line that could not be read is null."""
    return [_line(line) if line else None for line in found.lines.root]


def order_of(found: OrderPayload | None) -> Order | None:
    """Say an order in the graph's words; what could not be read is null."""
    if found is None:
        return None
    return Order(
        id=strawberry.ID(found.id),
        status=found.status,
        amount=Decimal(found.amount),
        currency=found.currency,
        placed_at=found.placed_at,
        customer_id=found.user_id,
    )


def _line(found: LinePayload) -> OrderLine:
    return OrderLine(
        name=found.name,
        quantity=found.quantity,
        unit_amount=Decimal(found.unit_amount),
        amount=Decimal(found.amount),
        currency=found.currency,
        product_id=found.product_id,
    )
