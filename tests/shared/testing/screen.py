"""A small BFF for the kit's own tests: two backends, and one call for each item of a list where there should be one."""

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel

from shared.asgi.bff import install_bff
from shared.asgi.caller import CurrentUser, Fetch
from shared.backends.backend import Backend
from shared.backends.sections import Degraded, Sections, nullable, required
from shared.clock import Clock
from shared.settings import BffSettings, HttpUrl

LISTS, ITEMS = Backend("lists"), Backend("items")


class Listed(BaseModel):
    ids: tuple[str, ...]


class Item(BaseModel):
    id: str


LIST_OF = LISTS.get("/lists/{user}?limit=50", into=Listed)
ITEM = ITEMS.get("/items/{id}", into=Item, coalesce=False)
ITEMS_OF = ITEMS.get("/items?of={user}", into=tuple[Item, ...])


class PageSections(Sections):
    listed = required(LIST_OF)
    items = nullable(ITEMS_OF)


class OneSections(Sections):
    item = nullable(ITEM)


class Page(BaseModel):
    user: str
    ids: tuple[str, ...]
    items: tuple[Item | None, ...] | None
    degraded: tuple[Degraded, ...] = ()


class SmallSettings(BffSettings):
    lists_url: HttpUrl
    items_url: HttpUrl


router = APIRouter(prefix="/small/v1")


@router.get("/page")
async def page(user: CurrentUser, fetch: Fetch) -> Page:
    """All items in one call."""
    got = await fetch(PageSections, user=user.subject)
    return Page(user=user.subject, ids=got.listed.ids, items=got.items, degraded=got.degraded)


@router.get("/n-plus-1")
async def n_plus_1(user: CurrentUser, fetch: Fetch) -> Page:
    """The mistake: a call for each item."""
    got = await fetch(PageSections, user=user.subject)
    items = [(await fetch(OneSections, id=one)).item for one in got.listed.ids]
    return Page(user=user.subject, ids=got.listed.ids, items=tuple(items))


def create_app(settings: SmallSettings, clock: Clock | None = None) -> FastAPI:
    app = FastAPI(title="Small BFF")
    urls = {LISTS: settings.lists_url, ITEMS: settings.items_url}
    install_bff(app, settings, router, service="small", urls=urls, clock=clock)
    return app
