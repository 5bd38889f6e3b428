"""A service with screens of 1, 3, 10 and 30 branches: Frontage as it is, with nothing but more sections."""

from typing import Any

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel

from bffs.mobile.backends import ALERTS, ORDERS, PROFILE, USERS
from bffs.mobile.settings import MobileSettings
from shared.asgi.bff import install_bff
from shared.asgi.caller import CurrentUser, Fetch
from shared.asgi.serve import serve
from shared.backends.sections import Sections, nullable

router = APIRouter(prefix="/growing")


class Grown(BaseModel):
    """How many sections were there."""

    present: int


def add_screen(branches: int) -> None:
    """Declare a screen of so many branches, as a BFF would."""
    parts: dict[str, Any] = {f"part_{number}": nullable(PROFILE) for number in range(branches)}
    sections = type(f"Sections{branches}", (Sections,), parts)

    @router.get(f"/{branches}")
    async def screen(user: CurrentUser, fetch: Fetch) -> Grown:
        got = await fetch(sections, user_id=user.subject)
        return Grown(present=sum(value is not None for value in got.values.values()))


for number in (1, 3, 10, 30):
    add_screen(number)


if __name__ == "__main__":
    settings = MobileSettings()
    app = FastAPI(title="Growing")
    urls = {USERS: settings.users_url, ORDERS: settings.orders_url, ALERTS: settings.alerts_url}
    install_bff(app, settings, router, service="growing", urls=urls)
    serve(app, settings)
