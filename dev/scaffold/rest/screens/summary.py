"""The summary: newcomer's first screen. Who the customer is, and what they bought last."""

from dev.scaffold.rest.backends import CUSTOMER, PURCHASES, Purchase
from shared.asgi.caller import FetchSections
from shared.backends.sections import Degraded, Sections, nullable, required
from shared.shape import Shape


class SummarySections(Sections):
    """Newcomer has nothing to say without the customer; without purchases, it has."""

    customer = required(CUSTOMER, subject=True)
    purchases = nullable(PURCHASES)


class Summary(Shape, frozen=True):
    """Newcomer's answer."""

    customer_id: str
    name: str
    purchases: tuple[Purchase, ...] | None
    degraded: tuple[Degraded, ...]


async def compose_summary(fetch: FetchSections, user_id: str) -> Summary:
    """Ask newcomer's backends at once and say what came back."""
    got = await fetch(SummarySections, user_id=user_id)
    return Summary(
        customer_id=got.customer.user_id,
        name=got.customer.display_name,
        purchases=got.purchases,
        degraded=got.degraded,
    )
