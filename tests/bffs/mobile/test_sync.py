"""The sync: a phone that follows it holds what the backends hold, whatever happens in between."""

from random import Random
from typing import Any

import httpx
import pytest

from bffs.mobile.changes import ORDER_CHANGES
from dev.backends.records import Records
from shared.testing.bff import Bff
from shared.testing.calls import BackendCalls
from tests.bffs.conftest import OpenSampled
from tests.bffs.mobile.sample import ALERTS_SCREEN, ORDERS_SCREEN

SYNC = "/mobile/v1/sync"
IDS = {"profile": "userId", "orders": "id", "alerts": "id"}


class Phone:
    """What a phone holds, and how it follows."""

    def __init__(self, bff: Bff, limit: int = 50, user: str = "u-1") -> None:
        self.bff = bff
        self.limit = limit
        self.user = user
        self.cursor = ""
        self.held: dict[str, dict[str, Any]] = {name: {} for name in IDS}
        self.answers: list[dict[str, Any]] = []

    async def ask(self) -> dict[str, Any]:
        """Ask once, and take what comes."""
        query = {"limit": self.limit, **({"since": self.cursor} if self.cursor else {})}
        answer = await self.bff.get(SYNC, params=query, user=self.user)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        for name, id_name in IDS.items():
            news = body[name]
            assert len(news["changed"]) + len(news["removed"]) <= self.limit
            if news["reset"]:
                self.held[name].clear()
            self.held[name].update({one[id_name]: one for one in news["changed"]})
            for gone in news["removed"]:
                self.held[name].pop(gone, None)
        self.cursor = body["next"]
        self.answers.append(body)
        return body

    async def follow(self) -> None:
        """Ask until there is no more."""
        for _ in range(200):
            if not (await self.ask())["more"]:
                return
        raise AssertionError("it never ended")

    async def expect_all(self) -> None:
        """Compare with what the lists say."""
        for name, screen in (("orders", ORDERS_SCREEN), ("alerts", ALERTS_SCREEN)):
            shown, cursor = {}, None
            while True:
                query = {"limit": 50, **({"cursor": cursor} if cursor else {})}
                page = (await self.bff.get(screen, params=query, user=self.user)).json()
                shown |= {one["id"]: one for one in page["items"]}
                if (cursor := page.get("next")) is None:
                    break
            assert self.held[name] == shown, name
        profile = (await self.bff.get("/mobile/v1/profile", user=self.user)).json()
        del profile["degraded"]
        assert list(self.held["profile"].values()) == [profile]


async def at_backend(bff: Bff, backend: str, method: str, path: str, **options: Any) -> httpx.Response:
    """Do something behind the BFF's back."""
    async with httpx.AsyncClient(base_url=bff.app.state.sample_urls[f"{backend}_url"]) as client:
        return await client.request(method, path, **options)


async def test_the_first_sync_is_everything_in_pieces(sampled: Bff) -> None:
    """Bounded pieces; the first says to begin anew, the last that there is no more; then nothing has changed."""
    phone = Phone(sampled, limit=3)
    await phone.follow()

    assert len(phone.answers) > 2
    assert [one["orders"]["reset"] for one in phone.answers] == [True, *[False] * (len(phone.answers) - 1)]
    await phone.expect_all()
    quiet = await phone.ask()
    assert all(not quiet[name]["changed"] and not quiet[name]["removed"] for name in IDS)
    assert not quiet["more"]


async def test_only_what_has_changed_comes(sampled: Bff) -> None:
    """Each thing once as it is now, and what is gone by its id, for a fraction of the bytes."""
    phone = Phone(sampled)
    await phone.follow()
    whole = len((await sampled.get(SYNC)).content)
    (moved, gone), alert = list(phone.held["orders"])[:2], next(iter(phone.held["alerts"]))
    for status in ("shipped", "delivered"):
        await at_backend(
            sampled, "orders", "PUT", f"/api/internal/users/u-1/orders/{moved}/status", json={"status": status}
        )
    await at_backend(sampled, "orders", "DELETE", f"/api/internal/users/u-1/orders/{gone}")
    await sampled.request("PUT", f"{ALERTS_SCREEN}/{alert}/read")

    news = await phone.ask()
    assert [(one["id"], one["status"]) for one in news["orders"]["changed"]] == [(moved, "delivered")]
    assert news["orders"]["removed"] == [gone]
    assert [one["id"] for one in news["alerts"]["changed"]] == [alert]
    assert news["profile"] == {"reset": False, "changed": [], "removed": []}
    answer = await sampled.get(SYNC, params={"since": phone.cursor})
    assert len(answer.content) * 5 < whole
    again = await sampled.get(SYNC, params={"since": phone.cursor}, headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    await phone.expect_all()


def deeds(phone: Phone, random: Random, number: int) -> dict[str, tuple[str, str, str, dict[str, Any]]]:
    """Return what can happen to u-1's things: backend, method, path and body."""
    order, alert = random.choice(list(phone.held["orders"])), random.choice(list(phone.held["alerts"]))
    mine, status = "/api/internal/users/u-1", random.choice(("paid", "shipped"))
    key, told = {"idempotency-key": f"deed-{number}"}, {"severity": "info", "message": "!"}
    return {
        "ordered": ("orders", "POST", f"{mine}/orders", {"json": {"repeats": order}, "headers": key}),
        "moved": ("orders", "PUT", f"{mine}/orders/{order}/status", {"json": {"status": status}}),
        "taken out": ("orders", "DELETE", f"{mine}/orders/{order}", {}),
        "told": ("alerts", "PUT", f"{mine}/alerts/x-{random.randrange(9)}", {"json": told}),
        "taken back": ("alerts", "DELETE", f"{mine}/alerts/{alert}", {}),
        "read": ("alerts", "PUT", f"{mine}/alerts/{alert}/read", {}),
    }


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_phone_that_follows_holds_what_there_is(sampled: Bff, seed: int) -> None:
    """Thirty random deeds, a backend that fails now and then, pieces of two: nothing is missed or left over."""
    random, phone = Random(seed), Phone(sampled, limit=2)
    await phone.follow()
    for number in range(30):
        can_happen = deeds(phone, random, number)
        backend, method, path, options = can_happen[random.choice(list(can_happen))]
        await at_backend(sampled, backend, method, path, **options)
        if random.random() < 0.2:
            await at_backend(sampled, backend, "PUT", "/__fault", json={"status": 500})
            assert [gap["section"] for gap in (await phone.ask())["degraded"]] == [backend]
            await at_backend(sampled, backend, "DELETE", "/__fault")
        elif random.random() < 0.5:
            await phone.ask()
    await phone.follow()

    await phone.expect_all()


async def test_a_section_that_cannot_be_had_stays_where_it_is(sampled: Bff) -> None:
    """It is named, the others go on, and it catches up when it is back."""
    phone = Phone(sampled)
    await phone.follow()
    held = dict(phone.held["orders"])
    await at_backend(sampled, "orders", "PUT", "/__fault", json={"silent": True})
    await sampled.request("PUT", f"{ALERTS_SCREEN}/read", json={"ids": list(phone.held["alerts"])[:1]})
    gap = await phone.ask()
    assert [one["section"] for one in gap["degraded"]] == ["orders"]
    assert gap["orders"] == {"reset": False, "changed": [], "removed": []}
    assert len(gap["alerts"]["changed"]) == 1
    assert phone.held["orders"] == held

    await at_backend(sampled, "orders", "DELETE", "/__fault")
    await phone.follow()
    await phone.expect_all()


async def test_a_backend_that_begins_anew_resets_its_own_section(open_sampled: OpenSampled) -> None:
    """Its places mean nothing any more: that section comes from the beginning, the others go on."""
    bff = await open_sampled()
    phone = Phone(bff, limit=100)
    await phone.follow()
    records: Records = bff.app.state.sample_apps["alerts"].state.records
    records.epoch = "restarted"

    body = await phone.ask()
    assert [body[name]["reset"] for name in IDS] == [False, False, True]
    await phone.expect_all()


async def test_a_cursor_is_one_users(sampled: Bff, backend_calls: BackendCalls) -> None:
    """Another's, a list's, a forged one: 400, and the phone may begin anew."""
    theirs = Phone(sampled, user="u-2")
    await theirs.ask()
    page = (await sampled.get(ORDERS_SCREEN, params={"limit": 1})).json()["next"]
    for cursor in (theirs.cursor, page, theirs.cursor[:-2], "x", "A" * 513):
        answer = await sampled.get(SYNC, params={"since": cursor})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("limit", ["0", "-5", "101", "1e3", "x"])
async def test_a_size_that_is_none_is_refused(mobile: Bff, backend_calls: BackendCalls, limit: str) -> None:
    """400; nobody is asked."""
    with backend_calls.exactly({}):
        assert (await mobile.get(SYNC, params={"limit": limit})).status_code == 400


async def test_an_unknown_word_reaches_the_phone_as_other(sampled: Bff) -> None:
    """Here too."""
    phone = Phone(sampled)
    await phone.follow()
    order = next(iter(phone.held["orders"]))
    path = f"/api/internal/users/u-1/orders/{order}/status"
    await at_backend(sampled, "orders", "PUT", path, json={"status": "beamed"})

    assert [one["status"] for one in (await phone.ask())["orders"]["changed"]] == ["OTHER"]
    assert "limit=50" in ORDER_CHANGES.target({"user_id": "u-1", "orders": "", "limit": "50"})
