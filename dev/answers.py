"""A dashboard, for a person to read: one aligned line for each thing, the first few of a long list."""

from collections.abc import Iterator
from typing import Any, Final

SHOWN: Final = 3
LABEL_WIDTH: Final = 14


def dashboard_lines(dashboard: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a dashboard, whichever BFF it came from."""
    yield _line("name, tier", f"{dashboard.get('displayName')}, {dashboard.get('tier')}")
    yield from _list("recent orders", dashboard.get("recentOrders"), _order)
    yield from _list("alerts", dashboard.get("alerts"), _alert)
    gaps = dashboard.get("degraded") or []
    yield from (_line("degraded", _gap(gap)) for gap in gaps)
    if not gaps:
        yield _line("degraded", "nothing")


def _list(label: str, items: list[dict[str, Any]] | None, words: Any) -> Iterator[str]:
    if not items:
        yield _line(label, "none" if items is not None else "not known (null)")
        return
    for index, item in enumerate(items[:SHOWN]):
        yield _line("" if index else label, words(item))
    if len(items) > SHOWN:
        yield _line("", f"and {len(items) - SHOWN} more")


def _order(order: dict[str, Any]) -> str:
    return f"{order['id']}  {order['amount']:>12} {order['currency']}  {order['status']:<10} {order['placedAt']}"


def _alert(alert: dict[str, Any]) -> str:
    return f"{alert['severity']:<8} {alert['message']}"


def _gap(gap: dict[str, Any]) -> str:
    said = f"{gap['section']}: {gap['reason']}, in its place: {gap['source']}"
    if gap.get("ageSeconds") is not None:
        said += f", {gap['ageSeconds']} s old"
    if gap.get("retryAfterSeconds") is not None:
        said += f", ask again in {gap['retryAfterSeconds']} s"
    return said


def _line(label: str, text: str) -> str:
    return f"{label:<{LABEL_WIDTH}} {text}"
