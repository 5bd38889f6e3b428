"""``edge/examples/seed.yaml``, a YARP program as an edge: what it promised, over two edges, with real endpoints."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.edge.echo import Echo
from tests.edge.edges import wait_for

SEED = Path("edge/examples/seed.yaml")
LIMIT = 100


@pytest.fixture
def nodes():
    """Two nodes of users, one of orders."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(Echo()) for name in ("USERS_NODE1", "USERS_NODE2", "ORDERS_NODE1")}


@pytest.fixture
def edges(new_edge, limiter, nodes, fresh):
    addresses = {name: f"127.0.0.1:{node.port}" for name, node in nodes.items()}
    named = {"EDGE_LIMITER_ADDRESS": limiter.address, "EDGE_HOSTS": "localhost", **addresses}
    started = [new_edge(SEED.read_text(), **named) for _ in range(2)]
    for edge in started:  # in rotation, which costs no call of a client's
        wait_for(
            lambda edge=edge: edge.admin("/clusters").text.count("::health_flags::healthy") >= 3, "nodes are healthy"
        )
    return started


def test_a_hundred_calls_pass_and_the_next_is_refused_on_whichever_edge(edges, nodes):
    """Turn by turn over two edges; both nodes share them; orders are nobody's limit."""
    with edges[0].client() as first, edges[1].client() as second:
        clients = (first, second)
        answers = [clients[number % 2].get("/api/v1/users/u-1") for number in range(LIMIT)]
        refused = [client.get("/api/v1/users/u-1") for client in clients]
        orders = [clients[number % 2].get("/api/v1/orders/o-1") for number in range(LIMIT + 20)]
    assert {one.status_code for one in answers} == {200}
    assert [one.status_code for one in refused] == [429, 429]
    assert refused[0].json()["code"] == "rate_limited"
    assert {one.status_code for one in orders} == {200}
    shares = [len(nodes[name].seen) for name in ("USERS_NODE1", "USERS_NODE2")]
    assert shares == [LIMIT // 2, LIMIT // 2]


def test_a_nodes_loss_goes_unnoticed(new_edge, limiter, fresh):
    """It stops listening between two calls: every call is answered, by the other."""
    with Echo() as left, Echo() as orders:
        with Echo() as leaving:
            edge = new_edge(
                SEED.read_text(), EDGE_LIMITER_ADDRESS=limiter.address, EDGE_HOSTS="localhost",
                USERS_NODE1=f"127.0.0.1:{leaving.port}", USERS_NODE2=f"127.0.0.1:{left.port}",
                ORDERS_NODE1=f"127.0.0.1:{orders.port}",
            )  # fmt: skip
            with edge.client() as client:
                wait_for(lambda: leaving.seen or client.get("/api/v1/users/u-1").status_code != 200, "both are asked")
        with edge.client() as client:
            assert {client.get("/api/v1/users/u-1").status_code for _ in range(30)} == {200}
