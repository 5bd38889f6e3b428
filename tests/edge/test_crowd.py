"""The seed's first constraint: connections of clients must not become connections to backends."""

import asyncio

from tests.edge.crowd import TEXT, Backend, allow_files, weigh

CLIENTS = 2_000
ROUNDS = 2
# What an idle connection may take of the edge's memory: docs/operations.md counts with less.
HEAVIEST = 64 * 1024


async def test_two_thousand_keep_alive_clients_share_fifty_connections(new_edge) -> None:
    """All ask at once, twice: every answer is good, and the backend has never seen more than fifty."""
    allow_files(2 * CLIENTS)
    async with Backend() as backend:
        edge = await asyncio.to_thread(new_edge, TEXT, ECHO=f"127.0.0.1:{backend.port}")
        crowd, weight, _ = await weigh(edge, CLIENTS)
        for _ in range(ROUNDS - 1):
            await crowd.ask()

        stats = await asyncio.to_thread(counters, edge)
        assert crowd.wrong == []
        assert crowd.answers == {200: ROUNDS * CLIENTS + 50}
        assert stats["http.public.downstream_cx_active"] == CLIENTS
        assert stats["cluster.few.upstream_rq_total"] == ROUNDS * CLIENTS + 50
        assert stats["cluster.few.upstream_rq_pending_overflow"] == 0
        assert 10 <= backend.most <= 50, "few, and as many as were needed"
        assert backend.accepted == stats["cluster.few.upstream_cx_total"] <= 50
        assert 1024 < weight.used < HEAVIEST, weight
        await crowd.leave()


def counters(edge) -> dict[str, int]:
    pairs = (line.rpartition(": ") for line in edge.admin("/stats?filter=^(http.public|cluster.few)").text.splitlines())
    return {name: int(value) for name, _, value in pairs if value.isdigit()}
