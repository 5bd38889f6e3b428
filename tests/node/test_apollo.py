"""What a page built on Apollo Client's defaults can show: the reason why a declared gap makes no ``errors`` entry."""

import pytest

from shared.testing.faults import silent, status
from shared.testing.sockets import SocketBackends
from tests.bffs.web.web import BOTH, DASHBOARD, PROFILE
from tests.node.conftest import Page

pytestmark = pytest.mark.node


async def test_a_page_shows_the_whole_dashboard(page: Page) -> None:
    """Everything came: data, no error, an empty ``degraded``."""
    seen = await page(DASHBOARD)

    for way in ("queried", "watched"):
        assert seen[way]["error"] is None
        dashboard = seen[way]["data"]["dashboard"]
        assert dashboard["displayName"] == PROFILE["displayName"]
        assert dashboard["recentOrders"][0]["id"] == "9007199254753337"
        assert dashboard["alerts"][0]["id"] == "a-1"
        assert dashboard["degraded"] == []


async def test_a_page_shows_the_sections_that_came(page: Page, backends: SocketBackends) -> None:
    """One backend is silent: no error, the other sections are there, ``degraded`` names the one that is not."""
    backends["alerts"].fault(silent())

    seen = await page(DASHBOARD)

    for way in ("queried", "watched"):
        assert seen[way]["error"] is None
        dashboard = seen[way]["data"]["dashboard"]
        assert (dashboard["displayName"], dashboard["tier"]) == (PROFILE["displayName"], "Gold")
        assert len(dashboard["recentOrders"]) == 1
        assert dashboard["alerts"] is None
        (gap,) = dashboard["degraded"]
        assert (gap["section"], gap["source"]) == ("alerts", "none")
        assert gap["reason"] in {"timeout", "deadline"}
    assert seen["queried"]["settled"] == "fulfilled"


async def test_a_page_loses_everything_to_one_errors_entry(page: Page, backends: SocketBackends) -> None:
    """What Apollo does by default with ``errors``: the sibling that came is thrown away, too.

    The server sends the dashboard beside the failed viewer; ``client.query`` rejects and ``watchQuery`` gives no
    data. The dashboard survives only inside the error. So a page that can live without a field must get it as a
    declared section, or set ``errorPolicy: "all"``.
    """
    backends["users"].fault(status(500))

    seen = await page(BOTH)

    assert seen["queried"]["settled"] == "rejected"
    for way in ("queried", "watched"):
        assert seen[way]["data"] is None
        error = seen[way]["error"]
        assert error["graphql"] is True
        assert [(one["path"], one["extensions"]["code"]) for one in error["errors"]] == [
            (["viewer"], "backend_faulted")
        ]
        assert error["dataInError"]["viewer"] is None
        assert error["dataInError"]["dashboard"]["alerts"] == [{"__typename": "Alert", "id": "a-1"}]
