"""What the three backends do with writes, and what they say of changes."""

from decimal import Decimal

import httpx
import pytest

Backends = dict[str, httpx.AsyncClient]
ADA = "/api/internal/users/u-1"


async def the_orders(backends: Backends, **query: object) -> dict:
    """Return a page of u-1's orders."""
    answer = await backends["orders"].get(f"{ADA}/orders", params=query)
    assert answer.status_code == 200
    return answer.json()


async def again(backends: Backends, order: int, key: str) -> httpx.Response:
    """Order the same again."""
    headers = {"idempotency-key": key}
    return await backends["orders"].post(f"{ADA}/orders", json={"repeats": str(order)}, headers=headers)


async def test_a_profile_is_changed_by_who_knows_its_version(backends: Backends) -> None:
    """Without a version 428, with an old one 412, and a patch that changes nothing makes no new one."""
    users = backends["users"]
    before = await users.get(ADA)
    assert before.headers["etag"] == '"1"'
    assert (await users.get(ADA, headers={"if-none-match": 'W/"1"'})).status_code == 304
    patch = {"displayName": "Ada L.", "email": None}

    assert (await users.patch(ADA, json=patch)).json()["code"] == "precondition_required"
    after = await users.patch(ADA, json=patch, headers={"if-match": '"1"'})
    assert after.json() == {**before.json(), **patch, "version": after.headers["etag"].strip('"')}
    assert after.headers["etag"] != '"1"'
    assert (await users.patch(ADA, json=patch, headers={"if-match": '"1"'})).json()["code"] == "precondition_failed"
    same = await users.patch(ADA, json=patch, headers={"if-match": after.headers["etag"]})
    assert same.headers["etag"] == after.headers["etag"]
    assert (await users.get(f"{ADA}/profile")).json()["displayName"] == "Ada L."


@pytest.mark.parametrize("patch", [{"displayName": 7}, {"displayName": None}, {"tier": "Gold"}, {"email": "x"}, [], 7])
async def test_a_patch_of_the_wrong_kind_changes_nothing(patch: object, backends: Backends) -> None:
    """400, for a wrong type, a name that is none, and no object at all."""
    users = backends["users"]
    answer = await users.patch(ADA, json=patch, headers={"if-match": "*"})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert (await users.get(ADA)).headers["etag"] == '"1"'


async def test_pages_do_not_shift_under_new_orders(backends: Backends) -> None:
    """All orders come once each, whatever is ordered in between; the last page has no next."""
    everything = [one["id"] for one in (await the_orders(backends, limit=100))["items"]]
    seen, after = [], ""
    while after is not None:
        page = await the_orders(backends, limit=3, after=after)
        seen += [one["id"] for one in page["items"]]
        after = page["next"]
        assert (await again(backends, everything[0], f"key-{after}")).status_code == 201

    assert seen == everything
    assert len((await the_orders(backends, limit=100))["items"]) > len(everything)


async def test_the_same_key_orders_once(backends: Backends) -> None:
    """The same order comes back; under the same key nothing else can be ordered."""
    first, second = [one["id"] for one in (await the_orders(backends, limit=2))["items"]]
    made = await again(backends, first, "once")
    assert (await again(backends, first, "once")).json() == made.json()
    assert (await again(backends, second, "once")).json()["code"] == "idempotency_key_reused"

    assert (await the_orders(backends, limit=2))["items"] == [
        made.json(),
        (await backends["orders"].get(f"/api/internal/orders/batch?userId=u-1&ids={first}")).json()[0],
    ]
    assert await lines(backends, made.json()["id"]) == await lines(backends, first)


async def lines(backends: Backends, order: int) -> list[dict]:
    """Return what an order is made of."""
    answer = await backends["orders"].get(f"/api/internal/orders/lines?userId=u-1&ids={order}")
    return answer.json()[0]["lines"]


async def test_lines_are_together_the_order(backends: Backends) -> None:
    """To the last decimal, in every currency, with names of products."""
    for order in (await the_orders(backends, limit=100))["items"]:
        detail = (await backends["orders"].get(f"{ADA}/orders/{order['id']}")).json()

        assert sum(Decimal(one["amount"]) for one in detail["lines"]) == Decimal(order["amount"])
        for one in detail["lines"]:
            assert one["quantity"] * Decimal(one["unitAmount"]) == Decimal(one["amount"])
            assert one["name"]
        assert detail["lines"] == await lines(backends, order["id"])


async def test_nobody_reads_or_writes_anothers(backends: Backends) -> None:
    """404 for one, nothing among several."""
    (order,) = (await the_orders(backends, limit=1))["items"]
    theirs = f"/api/internal/users/u-2/orders/{order['id']}"

    assert (await backends["orders"].get(theirs)).status_code == 404
    assert (await backends["orders"].delete(theirs)).status_code == 204
    assert (await backends["orders"].get(f"{ADA}/orders/{order['id']}")).status_code == 200
    assert (await backends["orders"].get(f"/api/internal/orders/batch?userId=u-2&ids={order['id']}")).json() == []
    marked = await backends["alerts"].put("/api/internal/users/u-2/alerts/read", json={"ids": ["a-1000"]})
    assert marked.json() == {"read": [], "missing": ["a-1000"]}


async def test_batches_keep_the_order_of_the_ids(backends: Backends) -> None:
    """Who does not exist is left out, twice is once, and more than a hundred are refused."""
    users = (await backends["users"].get("/api/internal/users?ids=u-3,u-0,u-1,u-3")).json()
    products = (await backends["orders"].get("/api/internal/products?ids=p-2,x,p-1")).json()

    assert [one["userId"] for one in users] == ["u-3", "u-1"]
    assert [one["id"] for one in products] == ["p-2", "p-1"]
    many = ",".join(f"u-{number}" for number in range(101))
    assert (await backends["users"].get(f"/api/internal/users?ids={many}")).status_code == 400


async def test_reading_an_alert_twice_is_reading_it_once(backends: Backends) -> None:
    """Alone and in bulk; what has been read is not among the newest any more, and stays in the pages."""
    alerts = backends["alerts"]
    ids = [one["id"] for one in (await alerts.get("/api/internal/alerts?userId=u-1")).json()]
    first = await alerts.put(f"{ADA}/alerts/{ids[0]}/read")
    assert (await alerts.put(f"{ADA}/alerts/{ids[0]}/read")).json() == first.json()

    bulk = await alerts.put(f"{ADA}/alerts/read", json={"ids": [*ids[:2], "a-none"]})
    assert bulk.json() == {"read": ids[:2], "missing": ["a-none"]}
    assert [one["id"] for one in (await alerts.get("/api/internal/alerts?userId=u-1")).json()] == ids[2:]
    page = (await alerts.get(f"{ADA}/alerts")).json()["items"]
    assert [one["readAt"] is not None for one in page] == [True, True, *[False] * (len(ids) - 2)]
    assert page[0] == first.json()


async def test_an_alert_is_told_once(backends: Backends) -> None:
    """Under the sender's id: again changes nothing, not for another user, and not when it was taken back."""
    alerts, new = backends["alerts"], {"severity": "info", "message": "Ordered."}
    made = await alerts.put(f"{ADA}/alerts/order-7", json=new)
    assert (made.status_code, made.json()["message"]) == (201, "Ordered.")
    assert (await alerts.put(f"{ADA}/alerts/order-7", json={**new, "message": "x"})).json() == made.json()
    assert (await alerts.put("/api/internal/users/u-2/alerts/order-7", json=new)).status_code == 409
    assert (await alerts.delete(f"{ADA}/alerts/order-7")).status_code == 204
    assert (await alerts.put(f"{ADA}/alerts/order-7", json=new)).status_code == 409


async def test_changes_are_read_on_from_a_place(backends: Backends) -> None:
    """From nothing everything in pieces; then only what changed, each once as it is now, and what is gone as null."""
    orders, held, since = backends["orders"], {}, ""
    while True:
        part = (await orders.get(f"{ADA}/orders/changes", params={"since": since, "limit": 3})).json()
        held |= {one["id"]: one["value"] for one in part["items"]}
        assert part["reset"] is (since == "")
        since = part["next"]
        if not part["more"]:
            break
    assert list(held.values()) == list(reversed((await the_orders(backends, limit=100))["items"]))

    one, other = list(held)[:2]
    for status in ("shipped", "beamed"):
        await orders.put(f"{ADA}/orders/{one}/status", json={"status": status})
    await orders.delete(f"{ADA}/orders/{other}")
    part = (await orders.get(f"{ADA}/orders/changes", params={"since": since})).json()
    changed = {it["id"]: it["value"] and it["value"]["status"] for it in part["items"]}
    assert list(changed.items()) == [(one, "beamed"), (other, None)]
    assert (await orders.get(f"{ADA}/orders/changes", params={"since": part["next"]})).json()["items"] == []
    stale = (await orders.get(f"{ADA}/orders/changes", params={"since": "feed.99"})).json()
    assert stale["reset"]


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("POST", f"{ADA}/orders", {"json": {"repeats": "1"}}),
        ("POST", f"{ADA}/orders", {"json": {"repeats": 1}, "headers": {"idempotency-key": "k"}}),
        ("PUT", f"{ADA}/alerts/read", {"json": {"ids": []}}),
        ("PUT", f"{ADA}/alerts/read", {"json": {"ids": ["a"] * 101}}),
        ("GET", f"{ADA}/orders?after=nothing", {}),
        ("GET", f"{ADA}/orders?limit=-1", {}),
    ],
    ids=str,
)
async def test_a_bad_write_is_a_problem(method: str, path: str, options: dict, backends: Backends) -> None:
    """400, and nothing has changed."""
    name = "orders" if "orders" in path else "alerts"
    answer = await backends[name].request(method, path, **options)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("order", ["1.5", "-1", "9" * 40, "x", "%27"])
async def test_an_order_that_nobody_has(order: str, backends: Backends) -> None:
    """404, whatever stands where an id should."""
    assert (await backends["orders"].get(f"{ADA}/orders/{order}")).status_code == 404
