"""The sample data: rows drawn from a fixed seed, the same on every machine.

Owns what is in the data, chosen to be awkward: ids that no JavaScript number holds, money of currencies with none, two
and three decimals, names in many scripts, users without orders or alerts. What an order is made of is drawn from its id
when it is asked for (``lines_of``): no table of fifty thousand rows. The file is ``database.py``'s business.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

# Raise it with every change here or to the schema: files of another version are made anew.
VERSION: Final = 2
SEED: Final = 20_240_125

USERS: Final = 1_200
ORDERS: Final = 20_000
ALERTS: Final = 5_000
PRODUCTS: Final = 400
MOST_LINES: Final = 5

NEWEST: Final = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)

NAMES: Final = Path(__file__).with_name("names.json")
TIERS: Final = ("Free", "Free", "Free", "Silver", "Silver", "Gold")
REGIONS: Final = ("ap", "eu", "me", "us")
STATUSES: Final = ("placed", "paid", "shipped", "delivered", "delivered", "cancelled")
DECIMALS: Final = {"EUR": 2, "USD": 2, "JPY": 0, "KWD": 3}
MESSAGES: Final = (
    ("info", "Your invoice is ready."),
    ("info", "A new device has signed in."),
    ("warning", "Your card expires soon."),
    ("warning", "A delivery is late."),
    ("critical", "A payment of your last order failed."),
)
GOODS: Final = {
    "kitchen": ("Kettle", "Teapot", "Skillet", "Whisk"),
    "garden": ("Trowel", "Hose", "Lantern", "Birdhouse"),
    "office": ("Notebook", "Stapler", "Desk lamp", "Fountain pen"),
    "play": ("Kite", "Puzzle", "Yo-yo", "Dominoes"),
}
FINISHES: Final = ("Ash", "Brass", "Copper", "Crème", "Indigo", "Linen", "Oak", "Terracotta")

Row = tuple[object, ...]


class Line(NamedTuple):
    """One line of an order; ``amount`` is ``quantity`` times ``unit_amount``, both in the order's currency."""

    product: str
    quantity: int
    unit_amount: str
    amount: str


def users() -> Iterator[Row]:
    """Rows of ``users``: id, name, tier, email, region."""
    random = Random(SEED)
    names = json.loads(NAMES.read_text(encoding="utf-8"))
    for number in range(1, USERS + 1):
        if number <= len(names["first"]):
            name, tier, region = names["first"][number - 1]
        else:
            script = random.choice(names["scripts"])
            name = f"{random.choice(script['given'])} {random.choice(script['family'])}"
            tier, region = random.choice(TIERS), random.choice(REGIONS)
        yield f"u-{number}", name, tier, f"u-{number}@example.com", region


def orders() -> Iterator[Row]:
    """Rows of ``orders``, oldest first: id, user, status, amount, currency, time. u-1 has many, u-10, u-20 … none."""
    random = Random(SEED + 1)
    for number in range(1, ORDERS + 1):
        user = 1 if number % 2500 == 0 else random.randrange(USERS // 10) * 10 + random.randrange(1, 10)
        currency = random.choice(tuple(DECIMALS))
        amount = Decimal(random.randrange(1, 100_000)).scaleb(-DECIMALS[currency])
        placed = NEWEST - timedelta(minutes=13 * (ORDERS - number), seconds=random.randrange(60))
        yield _order_id(number), f"u-{user}", random.choice(STATUSES), f"{amount:f}", currency, _text(placed)


def alerts() -> Iterator[Row]:
    """Rows of ``alerts``, oldest first: id, user, severity, message, time. u-1 has some, u-7, u-14 … none."""
    random = Random(SEED + 2)
    for number in range(1, ALERTS + 1):
        user = 1 if number % 1000 == 0 else random.randrange(USERS // 7) * 7 + random.randrange(1, 7)
        severity, message = random.choice(MESSAGES)
        created = NEWEST - timedelta(minutes=52 * (ALERTS - number), seconds=random.randrange(60))
        yield f"a-{number}", f"u-{user}", severity, message, _text(created)


def products() -> Iterator[Row]:
    """Rows of ``products``: id, name, category."""
    random = Random(SEED + 3)
    for number in range(1, PRODUCTS + 1):
        category = random.choice(tuple(GOODS))
        yield f"p-{number}", f"{random.choice(FINISHES)} {random.choice(GOODS[category])}", category


def lines_of(drawn_from: int, amount: str) -> list[Line]:
    """Return what an order is made of: one to five lines, the same each time, whose amounts are together its own."""
    random = Random(drawn_from)
    scale = Decimal(amount).as_tuple().exponent
    left = int(Decimal(amount).scaleb(-int(scale)))
    cuts = sorted(random.sample(range(1, left), k=min(left - 1, random.randrange(MOST_LINES))))
    lines = []
    for start, end in pairwise((0, *cuts, left)):
        quantity = random.choice([one for one in (1, 1, 2, 3) if (end - start) % one == 0])
        unit, whole = (Decimal(one).scaleb(int(scale)) for one in ((end - start) // quantity, end - start))
        lines.append(Line(f"p-{random.randint(1, PRODUCTS)}", quantity, f"{unit:f}", f"{whole:f}"))
    return lines


def _order_id(number: int) -> int:
    """Odd numbers above 2^53: a reader that takes them for doubles gets a neighbour."""
    return 2**53 + 1 + 2 * number


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
