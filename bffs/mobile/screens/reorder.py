"""The same again: an order like an earlier one, and an alert that says so. Two backends, one write.

The order comes first, for the alert names it. Each backend does its step once: the orders by the key that it is given,
the alerts by the alert's own id. So the whole can be sent again, and goes on where it is.
"""

from http import HTTPStatus
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bffs.mobile.backends import ORDER_AGAIN, TELL, Order
from shared.asgi.caller import FetchSections
from shared.backends.content import content
from shared.backends.sections import Sections, nullable, required
from shared.errors import ProblemCode, SectionUnavailable
from shared.idempotency.once import Answer
from shared.idempotency.steps import Outcome, outcome_of, unfinished
from shared.shape import Shape, encode


class OrderStep(Sections):
    """The first step. What it refuses is the client's: an order that is not his to repeat, a key that was used."""

    order = required(ORDER_AGAIN, refusals={404: ProblemCode.NOT_FOUND, 422: ProblemCode.IDEMPOTENCY_KEY_REUSED})


class NoticeStep(Sections):
    """The second one."""

    notice = nullable(TELL)


class Wish(BaseModel):
    """What to order again."""

    model_config = ConfigDict(extra="forbid", strict=True)

    repeats: Annotated[str, Field(pattern=r"^[0-9]{1,19}$", description="The id of the order to repeat")]

    @property
    def said(self) -> bytes:
        """What tells this wish from another: its members, however they were written."""
        return encode(self.model_dump())


class Ordered(Shape, frozen=True):
    """The new order; the user has been told."""

    order: Order


async def order_again(fetch: FetchSections, user_id: str, wish: Wish, key: str) -> Answer:
    """Take both steps. Raises WriteUnfinished, which says what is known of each, and ProblemError for a refusal."""
    wanted = content(wish.model_dump(), idempotency_key=key)
    try:
        order = (await fetch(OrderStep, contents={"order": wanted}, user_id=user_id)).order
    except SectionUnavailable as failed:
        outcomes = {"order": outcome_of(failed.reason), "notice": Outcome.NOT_STARTED}
        raise unfinished(failed, outcomes) from failed
    alert = content({"severity": "info", "message": "Your order has been placed again."})
    told = await fetch(NoticeStep, contents={"notice": alert}, user_id=user_id, alert_id=f"order-{order.id}")
    for gap in told.degraded:
        raise unfinished(gap, {"order": Outcome.DONE, "notice": outcome_of(gap.reason)})
    return Answer(HTTPStatus.CREATED, encode(Ordered(order=order)), f"/mobile/v1/orders/{order.id}")
