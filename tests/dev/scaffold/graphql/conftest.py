"""``newcomer``: the BFF over scripted backends that are well, on the kit of ``shared/testing``."""

import pytest

from dev.scaffold.graphql.app import create_app
from dev.scaffold.graphql.backends import CUSTOMER, PURCHASES
from dev.scaffold.graphql.settings import NewcomerSettings
from shared.testing.bff import Bff
from shared.testing.fixtures import OpenBff
from shared.testing.sockets import SocketBackends

PURCHASE = {"id": 7, "amount": "12.30", "currency": "EUR", "placedAt": "2026-11-24T21:59:59Z"}


@pytest.fixture
async def newcomer(open_bff: OpenBff, backends: SocketBackends) -> Bff:
    """The BFF as it is deployed."""
    bff = await open_bff(create_app, NewcomerSettings)
    backends.answers(CUSTOMER, {"userId": "u-1", "displayName": "Ada"})
    backends.answers(PURCHASES, [PURCHASE])
    return bff
