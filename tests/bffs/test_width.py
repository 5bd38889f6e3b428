"""How many branches one answer may have, as a BFF is told by its settings."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI

from bffs.mobile.app import create_app as create_mobile
from bffs.mobile.settings import MobileSettings
from bffs.web.app import create_app as create_web
from bffs.web.settings import WebSettings

NOWHERE = "http://127.0.0.1:9"

Build = Callable[[int], FastAPI]


def mobile(most: int) -> FastAPI:
    return create_mobile(MobileSettings(**_fields(most)))


def web(most: int) -> FastAPI:
    return create_web(WebSettings(**_fields(most)))


def _fields(most: int) -> dict[str, Any]:
    urls = dict.fromkeys(("users_url", "orders_url", "alerts_url", "issuer", "jwks_url"), NOWHERE)
    return {"listen": "127.0.0.1:1", "max_branches": most, **urls}


@pytest.mark.parametrize(("build", "screen"), [(mobile, "mobile.screens.dashboard"), (web, "web.graph.dashboard")])
def test_a_bff_whose_screen_exceeds_the_cap_does_not_start(build: Build, screen: str) -> None:
    """Three sections, two allowed: refused before it listens, naming the screen and the variable."""
    with pytest.raises(ValueError, match=rf"FRONTAGE_MAX_BRANCHES=2, .*bffs\.{screen}\.DashboardSections has 3"):
        build(2)


@pytest.mark.parametrize("build", [mobile, web])
async def test_the_setting_is_what_every_request_may_spend(build: Build) -> None:
    """Sixty unless set; what is set is each request's own."""
    app = build(61)
    async with app.router.lifespan_context(app):
        assert app.state.backends.new_budget().branches == 61
    assert WebSettings.model_fields["max_branches"].default == 60


@pytest.mark.parametrize("value", [0, -1])
def test_a_cap_that_allows_nothing_is_no_setting(value: int) -> None:
    """No answer could have a section."""
    with pytest.raises(ValueError, match="max_branches"):
        WebSettings(**_fields(value))
