"""What each backend answers. Indexed reads of a small file take microseconds, so they run on the loop."""

from typing import Final, NamedTuple

from dev.backends import alerts, orders, users

ROUTERS: Final = {"users": users.router, "orders": orders.router, "alerts": alerts.router}


class Table(NamedTuple):
    """What is read of a row, and which columns tell its age and its id."""

    columns: str
    newest_by: str
    id_name: str


TABLES: Final = {
    "users": Table(users.COLUMNS, "id", "userId"),
    "orders": Table(orders.COLUMNS, "placed_at", "id"),
    "alerts": Table(alerts.COLUMNS, "created_at", "id"),
}
