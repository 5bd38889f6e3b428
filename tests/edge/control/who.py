"""``python -m tests.edge.control.who``: the smallest BFF there is, called ``mobile``; it says who calls."""

from fastapi import APIRouter, FastAPI

from shared.asgi.bff import install_bff
from shared.asgi.caller import CurrentUser
from shared.asgi.serve import serve
from shared.settings import BffSettings
from shared.shape import Shape

router = APIRouter(prefix="/mobile/v1")


class Who(Shape, frozen=True):
    """Who calls, as the BFF knows it."""

    user_id: str
    client_id: str
    scopes: tuple[str, ...]
    kind: str


@router.get("/profile")
async def get_profile(user: CurrentUser) -> Who:
    """Say who calls."""
    return Who(user_id=user.subject, client_id=user.client_id, scopes=tuple(sorted(user.scopes)), kind=user.kind.value)


def create_app(settings: BffSettings) -> FastAPI:
    app = FastAPI(title="Who", redirect_slashes=False)
    install_bff(app, settings, router, service="mobile", urls={})
    return app


if __name__ == "__main__":
    read = BffSettings()
    serve(create_app(read), read)
