"""The summary: newcomer's first type. Who the customer is, and what they bought last."""

from datetime import datetime

import strawberry

from dev.scaffold.graphql.backends import CUSTOMER, PURCHASES, PurchasePayload
from shared.asgi.caller import FetchSections
from shared.backends import sections
from shared.errors import Reason, Source

strawberry.enum(Reason, description="Why a section of newcomer was not served fresh.")
strawberry.enum(Source, description="What stands in for it.")


class SummarySections(sections.Sections):
    """Newcomer has nothing to say without the customer; without purchases, it has."""

    customer = sections.required(CUSTOMER, subject=True)
    purchases = sections.nullable(PURCHASES)


@strawberry.type(description="One section of newcomer that was not served fresh.")
class Degraded:
    """The graph's form of a gap."""

    section: str = strawberry.field(description="Its name, which is its field's.")
    reason: Reason = strawberry.field(description="Why.")
    source: Source = strawberry.field(description="What stands in.")
    retry_after_seconds: int | None = strawberry.field(description="When to ask newcomer again.")


@strawberry.type(description="One order of a customer.")
class Purchase:
    """An order, as newcomer shows it."""

    id: strawberry.ID = strawberry.field(description="Text.")
    amount: str = strawberry.field(description="A decimal number, in `currency`.")
    currency: str = strawberry.field(description="ISO 4217.")
    placed_at: datetime = strawberry.field(description="When newcomer's customer placed it.")


@strawberry.type(description="Who the customer is, and what they bought last.")
class Summary:
    """Newcomer's answer."""

    customer_id: strawberry.ID = strawberry.field(description="The token's subject.")
    name: str = strawberry.field(description="How to greet newcomer's customer.")
    purchases: list[Purchase] | None = strawberry.field(description="Newest first; null when not known.")
    degraded: list[Degraded] = strawberry.field(description="Sections of newcomer that are not fresh.")


async def compose_summary(fetch: FetchSections, user_id: str) -> Summary:
    """Ask newcomer's backends at once and say what came back."""
    got = await fetch(SummarySections, user_id=user_id)
    return Summary(
        customer_id=strawberry.ID(got.customer.user_id),
        name=got.customer.display_name,
        purchases=None if got.purchases is None else [_purchase(one) for one in got.purchases],
        degraded=[_newcomer_gap(one) for one in got.degraded],
    )


def _purchase(found: PurchasePayload) -> Purchase:
    """Say an order in newcomer's words."""
    return Purchase(id=strawberry.ID(found.id), amount=found.amount, currency=found.currency, placed_at=found.placed_at)


def _newcomer_gap(gap: sections.Degraded) -> Degraded:
    """Say a gap in newcomer's words."""
    return Degraded(
        section=gap.section, reason=gap.reason, source=gap.source, retry_after_seconds=gap.retry_after_seconds
    )
