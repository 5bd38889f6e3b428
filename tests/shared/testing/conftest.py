import pytest

from shared.testing.bff import Bff
from shared.testing.fixtures import OpenBff
from shared.testing.sockets import SocketBackends
from tests.shared.testing.screen import ITEM, ITEMS_OF, LIST_OF, SmallSettings, create_app


@pytest.fixture
async def small(open_bff: OpenBff, backends: SocketBackends) -> Bff:
    """The small BFF over backends that are well."""
    bff = await open_bff(create_app, SmallSettings)
    backends.answers(LIST_OF, {"ids": ["1", "2"]})
    backends.answers(ITEMS_OF, lambda user: [{"id": f"{user}-1"}, {"id": f"{user}-2"}])
    backends.answers(ITEM, lambda id: {"id": id})  # noqa: A006 - the template's name
    return bff
