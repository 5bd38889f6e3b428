"""What a screen can cost at worst: told without a call, and true of what then happens."""

from datetime import timedelta
from pathlib import Path

import pytest

from shared.backends.backend import Call
from shared.backends.cache import CachePolicy
from shared.backends.explain import deadline_of, explain, longest_wait, report, retries_elsewhere
from shared.backends.sections import Sections, nullable, optional, required
from shared.errors import SectionUnavailable
from shared.resilience.hedge import HedgePolicy
from shared.resilience.retry import RetryPolicy
from shared.testing.scripted import Scripted, hang, status
from tests.shared.backends.screen import Item, World, backend

ROOT = Path(__file__).resolve().parents[3]
MS = timedelta(milliseconds=1)
PATIENT = backend("patient", attempt_timeout=500 * MS, retry=RetryPolicy(max_attempts=3, first_wait=100 * MS))
HASTY = backend("hasty", attempt_timeout=200 * MS, retry=RetryPolicy(max_attempts=1))


class Page(Sections):
    main = required(PATIENT.get("/a/{id}", into=Item))
    other = optional(HASTY.get("/b", into=Item), default=Item(id=0), stale_for=timedelta(seconds=9))
    third = nullable(HASTY.get("/c", into=Item, cache=CachePolicy()))


def test_branches_time_and_calls_are_told() -> None:
    """Three attempts of 500 ms, each after 50 ms for a permit; waits of 100 and 200 ms; two retries in all."""
    cost = explain(Page, timedelta(seconds=3))

    assert cost.branches == (
        ("main", "GET patient /a/{id}", "required", "none", 3, 1950 * MS),
        ("other", "GET hasty /b", "default", "stale up to 9,000 ms", 1, 250 * MS),
        ("third", "GET hasty /c", "none", "private", 1, 250 * MS),
    )
    assert (cost.longest / MS, cost.most_calls, cost.problems) == (1975, 5, ())


def test_a_deadline_smaller_than_its_policies_is_a_problem() -> None:
    """With the place, both figures and a remedy; and the worst case is then the deadline."""
    cost = explain(Page, timedelta(seconds=1))

    (problem,) = cost.problems
    assert problem.startswith("Page.main: 3 attempts at patient may take 1,950 ms, but the deadline leaves 975 ms; ")
    assert cost.longest == timedelta(seconds=1)


def test_a_call_that_is_sent_once_costs_one_attempt() -> None:
    """Whatever its backend's retry policy says."""

    class Posting(Sections):
        order = nullable(Call(PATIENT, "POST", "/orders", Item.model_validate_json))

    cost = explain(Posting, timedelta(seconds=1))

    assert (cost.branches[0].attempts, cost.branches[0].longest / MS, cost.problems) == (1, 550, ())


def test_a_hedge_is_paid_like_a_retry() -> None:
    """One more call, out of the same budget."""
    hedged = backend("hedged", retry=RetryPolicy(max_attempts=1), hedge=HedgePolicy())

    class Hedged(Sections):
        item = nullable(hedged.get("/a", into=Item))

    assert explain(Hedged, timedelta(seconds=3)).most_calls == 2


def test_what_is_renewed_behind_is_sent_once() -> None:
    """Instead of its branch's own call: no more calls than without a memory."""

    class Renewed(Sections):
        item = nullable(PATIENT.get("/a", into=Item, cache=CachePolicy(while_revalidate=timedelta(seconds=9))))

    assert explain(Renewed, timedelta(seconds=3)).most_calls == 3


@pytest.mark.parametrize("step", [hang, lambda: status(503)])
async def test_what_happens_is_within_what_was_told(step: object) -> None:
    """All backends silent, or all failing: neither time nor calls exceed the worst case."""
    cost = explain(Page, timedelta(seconds=3))
    for seed in range(20):
        world = World({PATIENT: Scripted(step()), HASTY: Scripted(step())}, seed=seed)
        with pytest.raises(SectionUnavailable):
            await world.run(Page, id="1")

        assert world.clock.now_s() - 1000 <= cost.longest.total_seconds()
        assert sum(len(channel.requests) for channel in world.channels.values()) <= cost.most_calls


def test_the_longest_wait_is_the_policys() -> None:
    """Doubling up to its bound."""
    policy = RetryPolicy(first_wait=100 * MS, longest_wait=250 * MS)

    assert [longest_wait(policy, attempt) / MS for attempt in (1, 2, 3, 99)] == [100, 200, 250, 250]


def test_the_deadline_is_the_shortest_routes() -> None:
    """Less what the edge keeps; never more than a BFF grants."""
    assert deadline_of("timeout: 3s\n  timeout: 1500ms") == 1400 * MS
    assert deadline_of("- {timeout: 0.5s}") == 400 * MS
    assert deadline_of("timeout: 60s") == deadline_of("") == 3000 * MS


def test_a_retry_at_the_edge_is_found() -> None:
    """Wherever it stands; a comment about one is none."""
    fragment = "routes:\n  - name: a  # no retries: here\n    retry: {attempts: 3}\n  - {name: b, num_retries: 2}\n"

    assert [one.partition(": only")[0] for one in retries_elsewhere(fragment)] == [
        "edge.yaml:3: 'retry'", "edge.yaml:4: 'num_retries'",
    ]  # fmt: skip


@pytest.mark.parametrize("bff", ["mobile", "web"])
def test_every_screen_of_a_bff_fits_into_its_routes(bff: str) -> None:
    """What ``python -m bffs.<bff> explain`` judges, with the committed edge.yaml."""
    __import__(f"bffs.{bff}.app")
    text, well = report(f"bffs.{bff}", (ROOT / f"bffs/{bff}/edge.yaml").read_text())

    assert well, text
    assert "DashboardSections: at worst 1,550 ms of 2,900 ms, and 5 backend calls\n" in text


def test_a_route_too_short_or_no_screen_at_all_is_not_well() -> None:
    """So that a check that looks at nothing does not pass."""
    __import__("bffs.mobile.app")
    text, well = report("bffs.mobile", "timeout: 1s")
    assert not well
    assert text.count("problem: ") == 4

    assert report("bffs.nobody", "") == ("problem: bffs.nobody declares no screen\n", False)
