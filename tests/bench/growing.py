"""A service whose screens grow: more branches, more keys, larger bodies. Frontage as it is, with nothing but more."""

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel

from bffs.mobile.backends import ALERTS, ORDERS, USERS, Profile
from bffs.mobile.settings import MobileSettings
from shared.asgi.bff import install_bff
from shared.asgi.caller import CurrentUser, Fetch
from shared.asgi.serve import serve
from shared.backends.cache import CachePolicy
from shared.backends.sections import Sections, nullable
from tests.bench.backends import SIZES

router = APIRouter(prefix="/growing")

KEYED = USERS.get("/api/internal/keyed/{key}", into=Profile, cache=CachePolicy())


class Grown(BaseModel):
    """How many sections were there."""

    present: int


class Lines(BaseModel):
    """A large section, as it came."""

    lines: tuple[str, ...] | None


class KeyedSections(Sections):
    """One of very many."""

    profile = nullable(KEYED)


def add_screen(branches: int) -> None:
    """Declare a screen of so many branches; each asks for something else, or they would share one answer."""
    calls = [USERS.get(f"/api/internal/users/{{user_id}}/part/{number}", into=Profile) for number in range(branches)]
    parts: dict[str, Any] = {f"part_{number}": nullable(call) for number, call in enumerate(calls)}
    sections = type(f"Sections{branches}", (Sections,), parts)

    @router.get(f"/{branches}")
    async def screen(user: CurrentUser, fetch: Fetch) -> Grown:
        got = await fetch(sections, user_id=user.subject)
        return Grown(present=sum(value is not None for value in got.values.values()))


def add_body(size: int) -> None:
    """Declare a screen of so many bytes."""
    call = USERS.get(f"/api/internal/sized/{size}", into=tuple[str, ...])
    sections = type(f"Bytes{size}", (Sections,), {"lines": nullable(call)})

    @router.get(f"/bytes/{size}")
    async def screen(user: CurrentUser, fetch: Fetch) -> Lines:
        got = await fetch(sections)
        return Lines(lines=got.values["lines"])


@router.get("/keyed")
async def keyed(user: CurrentUser, fetch: Fetch, request: Request) -> Grown:
    """Read what one key stands for."""
    got = await fetch(KeyedSections, key=request.headers["x-key"])
    return Grown(present=int(got.profile is not None))


for number in (1, 3, 10, 30):
    add_screen(number)
for number in SIZES:
    add_body(number)


if __name__ == "__main__":
    settings = MobileSettings()
    app = FastAPI(title="Growing")
    urls = {USERS: settings.users_url, ORDERS: settings.orders_url, ALERTS: settings.alerts_url}
    install_bff(app, settings, router, service="growing", urls=urls)
    serve(app, settings)
