"""The seed's first constraint: connections of clients must not become connections to backends."""

import asyncio

import pytest

from tests.edge.crowd import TEXT, Backend, allow_files, weigh

ROUNDS = 2
# What an idle connection may take of the edge's memory: docs/operations.md counts with less.
HEAVIEST = 64 * 1024


@pytest.mark.parametrize(
    "clients", [400, pytest.param(2_000, marks=[pytest.mark.long, pytest.mark.timeout(300)])]
)  # fmt: skip
async def test_keep_alive_clients_by_the_thousand_share_fifty_connections(new_edge, clients) -> None:
    """All ask at once, twice: every answer is good, and the backend has never seen more than fifty."""
    allow_files(2 * clients)
    async with Backend() as backend:
        edge = await asyncio.to_thread(new_edge, TEXT, ECHO=f"127.0.0.1:{backend.port}")
        crowd, weight, _ = await weigh(edge, clients)
        for _ in range(ROUNDS - 1):
            await crowd.ask()

        stats = await asyncio.to_thread(counters, edge)
        assert crowd.wrong == []
        assert crowd.answers == {200: ROUNDS * clients + 50}
        assert stats["http.public.downstream_cx_active"] == clients
        assert stats["cluster.few.upstream_rq_total"] == ROUNDS * clients + 50
        assert stats["cluster.few.upstream_rq_pending_overflow"] == 0
        assert 10 <= backend.most <= 50, "few, and as many as were needed"
        assert backend.accepted == stats["cluster.few.upstream_cx_total"] <= 50
        assert 1024 < weight.used < HEAVIEST, weight
        await crowd.leave()


def counters(edge) -> dict[str, int]:
    pairs = (line.rpartition(": ") for line in edge.admin("/stats?filter=^(http.public|cluster.few)").text.splitlines())
    return {name: int(value) for name, _, value in pairs if value.isdigit()}
