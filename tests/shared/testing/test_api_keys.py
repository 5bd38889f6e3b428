"""API keys in the kit: a BFF that takes them, as its team would test it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI

from shared.asgi.bff import install_bff
from shared.asgi.caller import api_key, user_with
from shared.clock import Clock
from shared.identity.principal import Principal
from shared.settings import BffSettings
from shared.shape import Shape
from shared.testing.api_keys import KeyRing
from shared.testing.fixtures import OpenBff


class Who(Shape, frozen=True):
    """Who calls."""

    name: str


def create_app(settings: BffSettings, clock: Clock | None = None) -> FastAPI:
    app = FastAPI(title="Partner BFF", redirect_slashes=False)
    router = APIRouter(prefix="/partner/v1", dependencies=[Depends(api_key)])

    @router.get("/who")
    async def get_who(user: Annotated[Principal, Depends(user_with("orders:read"))]) -> Who:
        return Who(name=user.subject)

    install_bff(app, settings, router, service="partner", urls={}, clock=clock)
    return app


async def opened(open_bff: OpenBff, ring: KeyRing) -> Any:
    return await open_bff(create_app, BffSettings, accept="api_key", api_keys=ring)


async def test_a_partner_s_key_is_its_client_with_its_scopes(open_bff: OpenBff) -> None:
    """And no more: a route's own scope is asked for, another BFF's key is none of ours."""
    ring = KeyRing("partner")
    bff = await opened(open_bff, ring)
    good = ring.make("acme", "orders:read", "orders:write")
    answer = await bff.get("/partner/v1/who", user=None, headers=good)
    assert (answer.status_code, answer.json()) == (200, {"name": "acme"})
    for headers, status in (
        ({}, 401), (ring.make("acme"), 403), (ring.make("acme", "orders:read", audience="mobile"), 403),
        (ring.make("acme", "orders:read", lives_s=-1), 401), ({**good, "authorization": "Bearer x"}, 400),
    ):  # fmt: skip
        assert (await bff.get("/partner/v1/who", user=None, headers=headers)).status_code == status
    assert (await bff.get("/partner/v1/who", user="ada")).status_code == 401


async def test_the_contract_names_the_header_and_the_route_is_a_hot_one(open_bff: OpenBff) -> None:
    """Generated clients know where the key goes; declaring it costs no request anything."""
    bff = await opened(open_bff, KeyRing("partner"))
    schemes = bff.app.openapi()["components"]["securitySchemes"].values()
    assert [(one["type"], one["in"], one["name"]) for one in schemes] == [("apiKey", "header", "X-Api-Key")]
    assert bff.app.state.front.find(b"GET", b"/partner/v1/who") is not None


async def test_a_revoked_key_is_refused_from_the_next_call_on(open_bff: OpenBff) -> None:
    """The kit waits for no store."""
    ring = KeyRing("partner")
    bff = await opened(open_bff, ring)
    key = ring.make("acme", "orders:read")
    assert (await bff.get("/partner/v1/who", user=None, headers=key)).status_code == 200
    ring.revoke(key)
    answer = await bff.get("/partner/v1/who", user=None, headers=key)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'ApiKey error="invalid_key"')
