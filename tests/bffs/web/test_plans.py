"""The web's own graph by plans and by graphql-core: the same answers to operations made up over it.

The general corpus is ``tests/shared/plans``; here it is the real schema, resolvers and loaders, over real sockets.
"""

import itertools
import json
import re

import httpx
import pytest

from bffs.web.backends import ORDERS, USERS
from bffs.web.graph.node import pack
from bffs.web.prepare import Preparer
from bffs.web.schema import schema
from bffs.web.settings import MANIFEST
from shared.testing.faults import status
from shared.testing.sockets import SocketBackends
from tests.bffs.web.conftest import OpenWeb
from tests.bffs.web.shop import FIRST_ID, Shop
from tests.bffs.web.web import DASHBOARD, PATH
from tests.shared.plans.documents import documents

OWN_IDS = (str(FIRST_ID + 2), str(FIRST_ID + 4), "a-1", "7")
NODES = (("Order", OWN_IDS[0]), ("Order", OWN_IDS[1]), ("Alert", "a-1"), ("Viewer", "u-1"), ("Product", "p-1"))
IDS = (*OWN_IDS, *(pack(kind, one) for kind, one in NODES))
CHANGING = re.compile(r'"[0-9a-f]{32}"|"20[0-9-]{8}T[^"]*"')
DOWN: dict[str, tuple[str, ...]] = {"well": (), "users_down": (USERS.name,), "orders_down": (ORDERS.name,)}


def shown(answer: httpx.Response) -> tuple[int, str, list[str]]:
    """Return what must be the same: all but the trace, when it was, and the order of errors."""
    body = json.loads(CHANGING.sub('"..."', answer.text))
    errors = sorted(json.dumps(one) for one in body.pop("errors", ()))
    return answer.status_code, json.dumps(body), errors


async def both_answer_alike(
    open_web: OpenWeb, backends: SocketBackends, down: tuple[str, ...], seed: int, many: int
) -> int:
    """Ask both the same; return how many operations were served."""
    plans, core = [await open_web(graphql=one, cursor_keys="k" * 32) for one in ("plans", "core")]
    Shop(backends)
    for name in down:
        backends[name].fault(status(404))
    served = 0
    for made in itertools.islice(documents(schema._schema, seed, ids=IDS), many):
        ours, cores = [shown(await one.query(made.text, made.variables)) for one in (plans, core)]
        if {ours[0], cores[0]} & {503, 504}:  # a machine that had no time for one of them
            continue
        assert ours == cores, f"{made.text}\n{made.variables}"
        served += ours[0] == 200
    return served


@pytest.mark.parametrize("graphql", ["plans"], indirect=True)  # it opens the other one, too
@pytest.mark.parametrize("down", DOWN.values(), ids=DOWN)
async def test_plans_answer_as_graphql_core_does(
    open_web: OpenWeb, backends: SocketBackends, down: tuple[str, ...]
) -> None:
    """Byte for byte, members in their order; errors, which may come in another order, letter for letter."""
    assert await both_answer_alike(open_web, backends, down, seed=len(down), many=25) > 12


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("graphql", ["plans"], indirect=True)
@pytest.mark.parametrize("seed", range(100, 103))
async def test_plans_answer_as_graphql_core_does_at_length(
    open_web: OpenWeb, backends: SocketBackends, seed: int
) -> None:
    """The same over 600 operations."""
    assert await both_answer_alike(open_web, backends, (), seed=seed, many=200) > 100


async def test_the_setting_says_who_executes(open_web: OpenWeb, graphql: str) -> None:
    """So that the suite runs on both; and every page's operation is compiled."""
    web = await open_web()
    admission = web.app.state.admission
    prepared = admission._preparer.prepare(DASHBOARD)

    assert (prepared.executable.not_compiled is None) == (graphql == "plans")


def test_every_trusted_document_is_compiled() -> None:
    """What pages ask for is what plans are for."""
    preparer = Preparer(schema, open_schema=False)
    for text in json.loads(MANIFEST.read_text()).values():
        for one in re.findall(r"^(?:query|mutation) (\w+)", text, re.MULTILINE):
            assert preparer.prepare(text, one).executable.not_compiled is None


async def test_an_operation_takes_the_servers_short_way(open_web: OpenWeb) -> None:
    """A POST goes from the server to its handler, without ASGI between."""
    web = await open_web()

    assert web.app.state.front.find(b"POST", PATH.encode()) is not None
