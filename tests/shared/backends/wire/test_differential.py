"""Ours, httpcore, httpcore2 and aiohttp, asked about the same bytes (``corpus.py``); what is right, RFC 9112 decides.

Two answers must never be confused, whatever a backend sends: every case is followed by one more request.
"""

import asyncio
from collections import Counter
from functools import cache

import pytest
import uvloop

from tests.shared.backends.wire.cases import Case
from tests.shared.backends.wire.clients import CLIENTS, Difference, Seen, difference, play, right
from tests.shared.backends.wire.corpus import CORPUS, FAMILIES, NAMED
from tests.shared.backends.wire.explained import EXPLAINED

AT_ONCE = 24
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
OURS = [name for name in CLIENTS if name.startswith("ours")]
PEERS = [name for name in CLIENTS if name not in OURS]


@cache
def seen_by(client: str, loop: str = "asyncio") -> dict[str, Seen]:
    """Play the corpus to a client, several cases at a time: a case takes no work, only turns."""

    async def all_of_them() -> dict[str, Seen]:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(case: Case) -> Seen:
            async with gate:
                return await play(case, CLIENTS[client])

        cases = CORPUS if client in OURS else NAMED
        return dict(zip((case.name for case in cases), await asyncio.gather(*map(one, cases)), strict=True))

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        return runner.run(all_of_them())


def explained(peer: str) -> dict[str, list[Difference]]:
    reasons: dict[str, list[Difference]] = {}
    for one in EXPLAINED:
        for name in one.names(peer):
            reasons.setdefault(name, []).append(one.how)
    return reasons


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("client", OURS)
@pytest.mark.parametrize("family", FAMILIES)
def test_ours_is_right(family: str, client: str, loop: str) -> None:
    """The answer, or the right kind of failure; the connection used again or not; and the next answer its own."""
    seen = seen_by(client, loop)
    # How much an answer may hold is a declared call's to say; bodies that flow are bounded by whoever reads them.
    cases = [case for case in FAMILIES[family] if client == "ours" or not case.name.startswith("over 1 MiB")]

    assert {case.name: seen[case.name] for case in cases} == {case.name: right(case) for case in cases}


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "split"])
def test_others_agree_or_the_table_says_why_not(family: str, peer: str) -> None:
    """Every difference has its one reason in ``explained.py``, and every reason there still has its difference."""
    seen, reasons = seen_by(peer), explained(peer)
    differences = {case.name: difference(case, seen[case.name]) for case in FAMILIES[family]}

    assert {name: [how] for name, how in differences.items() if how} == {
        case.name: reasons[case.name] for case in FAMILIES[family] if case.name in reasons
    }


def test_the_corpus_is_what_it_says() -> None:
    """Three hundred cases and more, each with a name of its own, and no reason for a case that is not there."""
    names = Counter(case.name for case in CORPUS)
    assert len(NAMED) >= 300
    assert max(names.values()) == 1
    assert {name for peer in PEERS for name in explained(peer)} <= {case.name for case in NAMED}
