"""Made for radios: answers that a phone has already are not sent, whole or by section, nor what it does not want."""

import json
from typing import Any

import pytest

from bffs.mobile.backends import ACTIVE_ALERTS, ALERTS, ORDERS, PROFILE, RECENT_ORDERS
from shared.testing.bff import Bff
from shared.testing.calls import BackendCalls
from shared.testing.clock import ManualClock
from shared.testing.faults import down
from shared.testing.sockets import SocketBackends
from tests.bffs.mobile.conftest import OpenMobile
from tests.bffs.mobile.sample import ADA, ALERT, DASHBOARD, ORDER
from tests.bffs.mobile.sample import PROFILE as PROFILE_SCREEN

PART = "application/vnd.frontage.part+json"
# What a phone holds after a day: enough for the figures below to mean something.
FIVE_ORDERS = [{**ORDER, "id": 2**53 + number} for number in range(5)]
TWENTY_ALERTS = [{**ALERT, "id": number} for number in range(20)]


def holding(tags: dict[str, str]) -> dict[str, str]:
    """Say which sections a phone has."""
    return {"if-section-match": ", ".join(f'{name}="{tag}"' for name, tag in tags.items())}


async def test_who_has_the_answer_gets_no_other(
    manual_clock: ManualClock, open_mobile: OpenMobile, backends: SocketBackends, route: str
) -> None:
    """304 without a body, also a second later, also for the weak form that a compressing edge hands out."""
    mobile = await open_mobile(route=route)
    first = await mobile.get(DASHBOARD)
    tag = first.headers["etag"]
    await manual_clock.run(manual_clock.sleep(2))

    for condition in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await mobile.get(DASHBOARD, headers={"if-none-match": condition})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert "content-length" not in again.headers
    assert (await mobile.get(DASHBOARD)).headers["etag"] == tag
    backends.answers(ACTIVE_ALERTS, [])
    changed = await mobile.get(DASHBOARD, headers={"if-none-match": tag})
    assert (changed.status_code, changed.json()["alerts"]) == (200, [])
    assert changed.headers["etag"] != tag


async def test_both_ways_give_the_same_tag(open_mobile: OpenMobile) -> None:
    """Replicas that are set otherwise are one origin to a phone."""
    lean, stock = await open_mobile(), await open_mobile(route="fastapi")

    assert (await lean.get(DASHBOARD)).headers["etag"] == (await stock.get(DASHBOARD)).headers["etag"]


async def test_an_answer_with_gaps_has_no_tag(mobile: Bff, backends: SocketBackends) -> None:
    """Nobody keeps it, and a phone that has the whole one is told of the gap."""
    whole = (await mobile.get(DASHBOARD)).headers["etag"]
    backends[ALERTS].fault(down())
    answer = await mobile.get(DASHBOARD, headers={"if-none-match": whole})

    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert "etag" not in answer.headers


async def test_a_phone_fetches_only_what_has_changed(
    open_mobile: OpenMobile, backends: SocketBackends, route: str
) -> None:
    """By bytes: after a new alert a tenth of the dashboard less its alerts, after nothing a tenth of it all."""
    mobile = await open_mobile(route=route)
    backends.answers(RECENT_ORDERS, FIVE_ORDERS)
    backends.answers(ACTIVE_ALERTS, TWENTY_ALERTS)
    whole = await mobile.get(DASHBOARD)
    every = await mobile.get(DASHBOARD, params={"sections": "profile,recentOrders,alerts"})
    assert every.headers["content-type"] == PART
    tags = every.json()["tags"]
    assert {**every.json(), "tags": None, "unchanged": None, "aggregatedAt": None} == {
        **whole.json(), "tags": None, "unchanged": None, "aggregatedAt": None,
    }  # fmt: skip

    nothing = await mobile.get(DASHBOARD, headers=holding(tags))
    assert set(nothing.json()) == {"userId", "aggregatedAt", "degraded", "tags", "unchanged"}
    assert nothing.json()["unchanged"] == ["profile", "recentOrders", "alerts"]
    assert len(nothing.content) * 10 < len(whole.content)

    backends.answers(RECENT_ORDERS, FIVE_ORDERS[1:])
    some = await mobile.get(DASHBOARD, headers=holding(tags))
    assert [one["id"] for one in some.json()["recentOrders"]] == [str(one["id"]) for one in FIVE_ORDERS[1:]]
    assert some.json()["unchanged"] == ["profile", "alerts"]
    assert "displayName" not in some.json()
    assert len(some.content) * 3 < len(whole.content)
    assert some.json()["tags"]["alerts"] == tags["alerts"]
    assert "etag" not in some.headers


async def test_sections_that_nobody_asks_for_cost_no_call(
    mobile: Bff, backends: SocketBackends, backend_calls: BackendCalls
) -> None:
    """Alerts alone are one call; when these cannot be had, that is said as ever."""
    with backend_calls.exactly({ACTIVE_ALERTS: 1}):
        answer = await mobile.get(DASHBOARD, params={"sections": "alerts"})
    assert set(answer.json()) == {"userId", "alerts", "aggregatedAt", "degraded", "tags", "unchanged"}
    assert set(answer.json()["tags"]) == {"alerts"}

    backends[ALERTS].fault(down())
    gone = (await mobile.get(DASHBOARD, params={"sections": "alerts"}, headers=holding(answer.json()["tags"]))).json()
    assert (gone["alerts"], gone["tags"], gone["unchanged"]) == (None, {}, [])
    assert [gap["section"] for gap in gone["degraded"]] == ["alerts"]


async def test_only_the_fields_wanted_are_sent(open_mobile: OpenMobile, backends: SocketBackends, route: str) -> None:
    """At any depth, in the order of the contract; gaps are told whether wanted or not."""
    mobile = await open_mobile(route=route)
    answer = await mobile.get(DASHBOARD, params={"fields": "alerts.message,displayName,recentOrders.id,recentOrders"})

    body = answer.json()
    assert list(body) == ["displayName", "recentOrders", "alerts", "degraded", "tags", "unchanged"]
    assert body["alerts"] == [{"message": ALERT["message"]}]
    assert set(body["recentOrders"][0]) == {"id", "status", "amount", "currency", "placedAt"}
    again = await mobile.get(
        DASHBOARD, params={"fields": "displayName"}, headers={"if-none-match": answer.headers["etag"]}
    )
    assert again.status_code == 200
    backends[ORDERS].fault(down())
    assert (await mobile.get(DASHBOARD, params={"fields": "displayName"})).json()["degraded"]


async def test_fields_and_sections_go_together(mobile: Bff, backend_calls: BackendCalls) -> None:
    """And other fields of a section are another answer: a tag of one is none of the other."""
    query = {"sections": "alerts", "fields": "alerts.id"}
    first = (await mobile.get(DASHBOARD, params=query)).json()
    assert first["alerts"] == [{"id": "1"}]
    with backend_calls.exactly({ACTIVE_ALERTS: 1}):
        same = (await mobile.get(DASHBOARD, params=query, headers=holding(first["tags"]))).json()
    assert same["unchanged"] == ["alerts"]
    other = {**query, "fields": "alerts.id,alerts.message"}
    assert (await mobile.get(DASHBOARD, params=other, headers=holding(first["tags"]))).json()["unchanged"] == []


async def test_a_screen_without_sections_has_fields(mobile: Bff) -> None:
    """The part holds them and the gaps, and has a tag of its own."""
    answer = await mobile.get(PROFILE_SCREEN, params={"fields": "displayName"})

    assert (answer.headers["content-type"], answer.json()) == (
        PART,
        {"displayName": ADA["displayName"], "degraded": []},
    )


@pytest.mark.parametrize(
    "query",
    [
        {"sections": "nothing"}, {"sections": ""}, {"sections": "alerts,,profile"}, {"sections": "recent_orders"},
        {"fields": "secret"}, {"fields": ""}, {"fields": "alerts.secret"}, {"fields": "displayName.first"},
        {"fields": "alerts..id"}, {"fields": ",".join(["id"] * 200)}, {"fields": "\u20ac"}, {"fields": "degraded.x"},
    ],
    ids=lambda query: json.dumps(query)[:40],
)  # fmt: skip
async def test_what_no_screen_has_is_refused_before_anybody_is_asked(
    open_mobile: OpenMobile, backend_calls: BackendCalls, query: dict[str, str], route: str
) -> None:
    """400 that names the parameter and not its value."""
    mobile = await open_mobile(route=route)
    with backend_calls.exactly({}):
        answer = await mobile.get(DASHBOARD, params=query)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert answer.json()["detail"] == f"Check {next(iter(query))}."


@pytest.mark.parametrize("held", ["", "garbage", 'alerts="', "alerts=1", '="x"', "a" * 9_000, 'nothing="1"'])
async def test_a_condition_that_names_nothing_leaves_nothing_out(mobile: Bff, held: str) -> None:
    """Everything is sent, with its tags."""
    body = (await mobile.get(DASHBOARD, headers={"if-section-match": held})).json()

    assert body["unchanged"] == []
    assert set(body["tags"]) == {"profile", "recentOrders", "alerts"}


async def test_parameters_that_nobody_knows_are_no_fault(mobile: Bff) -> None:
    """An app of tomorrow meets the BFF of today: the whole answer, as always."""
    answer = await mobile.get(DASHBOARD, params={"utm": "x", "fielsd": "y"})
    whole: dict[str, Any] = answer.json()

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert "tags" not in whole


async def test_what_one_user_holds_says_nothing_of_another(mobile: Bff, backends: SocketBackends) -> None:
    """Tags are of content: the same for the same data, another's only where it differs."""
    backends.answers(PROFILE, lambda user_id: {**ADA, "userId": user_id, "displayName": user_id})
    ada = (await mobile.get(DASHBOARD, user="ada")).headers["etag"]

    bob = await mobile.get(DASHBOARD, user="bob", headers={"if-none-match": ada})
    assert (bob.status_code, bob.json()["displayName"]) == (200, "bob")
