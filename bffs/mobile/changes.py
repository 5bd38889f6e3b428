"""What the backends say of changes: things as they are now, in the order of their last change, and where to go on.

Beside ``backends.py``, which has what screens show: these shapes are read by the sync alone.
"""

from typing import Final

from bffs.mobile.backends import ALERTS, ORDERS, USERS, Order, ReadableAlert, Tier
from shared.backends.payload import Identifier
from shared.shape import Shape


class ProfileNow(Shape, frozen=True):
    """A profile, under its backend's own names."""

    user_id: Identifier
    display_name: str
    account_tier: Tier
    email: str | None
    region: str


class ProfileChange(Shape, frozen=True):
    """A profile as it is now; None: it is gone."""

    id: Identifier
    value: ProfileNow | None


class OrderChange(Shape, frozen=True):
    """An order as it is now; None: it is gone."""

    id: Identifier
    value: Order | None


class AlertChange(Shape, frozen=True):
    """An alert as it is now; None: it is gone."""

    id: Identifier
    value: ReadableAlert | None


class Changes(Shape, frozen=True):
    """Where to go on, whether there is more there, and whether these are all from the beginning."""

    next: str
    more: bool
    reset: bool


class ProfileChanges(Changes, frozen=True):
    """Changes of the profile."""

    items: tuple[ProfileChange, ...]


class OrderChanges(Changes, frozen=True):
    """Changes among the orders."""

    items: tuple[OrderChange, ...]


class AlertChanges(Changes, frozen=True):
    """Changes among the alerts."""

    items: tuple[AlertChange, ...]


# Never together with a read that began earlier: it may have missed what the phone was told of since.
PROFILE_CHANGES: Final = USERS.get(
    "/api/internal/users/{user_id}/changes?since={profile}&limit={limit}", into=ProfileChanges, coalesce=False
)
ORDER_CHANGES: Final = ORDERS.get(
    "/api/internal/users/{user_id}/orders/changes?since={orders}&limit={limit}", into=OrderChanges, coalesce=False
)
ALERT_CHANGES: Final = ALERTS.get(
    "/api/internal/users/{user_id}/alerts/changes?since={alerts}&limit={limit}", into=AlertChanges, coalesce=False
)
