"""What a screen can cost at worst: told without a call, and true of what then happens."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from shared.backends.backend import Backend, Call, CallPolicy
from shared.backends.cache import CachePolicy
from shared.backends.explain import explain, longest_wait, report
from shared.backends.fragment import deadline_of, retries_elsewhere, unreadable_timeouts
from shared.backends.sections import Sections, nullable, optional, required
from shared.errors import SectionUnavailable
from shared.resilience.breaker import BreakerPolicy, BreakerState
from shared.resilience.hedge import HedgePolicy
from shared.resilience.retry import RetryPolicy
from shared.testing.scripted import Scripted, hang, reply, status
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


def test_an_attempt_timeout_beyond_the_deadline_is_a_problem() -> None:
    """A silent backend would only ever meet the deadline, which says nothing about it: its breaker would never open."""
    never = backend("never", attempt_timeout=975 * MS, retry=RetryPolicy(max_attempts=1))

    class Silent(Sections):
        item = nullable(never.get("/a", into=Item))

    (problem,) = explain(Silent, timedelta(seconds=1)).problems
    assert problem == (
        "Silent.item: never's attempt timeout of 975 ms is not below the 975 ms that the deadline leaves, so its "
        "silence never times an attempt out and never opens its breaker; shorten it"
    )


@pytest.mark.parametrize(("timeout_ms", "opens"), [(975, False), (974, False), (973, True), (900, True)])
async def test_what_is_said_of_silence_and_breakers_is_so(timeout_ms: int, opens: bool) -> None:
    """Twenty silent calls within the window: the breaker opens if attempts end before the whole does, else never."""
    once, window = RetryPolicy(max_attempts=1), BreakerPolicy(window=timedelta(minutes=5))
    silent = backend("silent", attempt_timeout=timeout_ms * MS, retry=once, breaker=window)

    class Page(Sections):
        item = nullable(silent.get("/a", into=Item))

    world = World({silent: Scripted(hang())})
    for _ in range(25):
        await world.run(Page, budget_s=1.0)

    assert (world.backends.state(silent).breaker.state is BreakerState.OPEN) is opens
    told = explain(Page, timedelta(seconds=1)).problems
    assert any("never opens its breaker" in problem for problem in told) is not opens


async def test_silence_behind_answers_opens_a_breaker_too() -> None:
    """A backend that only renewals still ask: its silence is an attempt's timeout, not the end of a whole."""
    window = BreakerPolicy(window=timedelta(minutes=5), minimum_calls=5)
    silent = backend("silent", breaker=window)
    policy = CachePolicy(while_revalidate=timedelta(hours=1))

    class Page(Sections):
        item = nullable(silent.get("/a", into=Item, cache=policy))

    world = World({silent: Scripted(reply({"id": 1}, headers=(("cache-control", "max-age=1"),)), hang())})
    await world.run(Page)
    for _ in range(6):
        await world.clock.advance(2)
        assert (await world.run(Page)).degraded == ()
        await world.clock.advance(1)

    assert world.backends.state(silent).breaker.state is BreakerState.OPEN


def test_a_backend_that_retries_by_itself_must_not_be_retried() -> None:
    """Another BFF, a mesh: three of ours and a hedge would each be several there."""
    eager = CallPolicy(attempt_timeout=100 * MS, retry=RetryPolicy(max_attempts=3), hedge=HedgePolicy())
    nested = Backend("nested", eager, retries=True)
    once = Backend("once", CallPolicy(retry=RetryPolicy(max_attempts=1)), retries=True)

    class Nesting(Sections):
        item = nullable(nested.get("/a", into=Item))
        other = nullable(once.get("/b", into=Item))
        order = nullable(Call(nested, "POST", "/orders", Item.model_validate_json))

    (problem,) = explain(Nesting, timedelta(seconds=3)).problems
    assert problem == (
        "Nesting.item: nested retries by itself, so each of up to 4 calls of ours becomes several there; "
        "give it retry=RetryPolicy(max_attempts=1) and no hedge"
    )


def test_a_screen_wider_than_an_answer_is_a_problem() -> None:
    """As at the start of the service, but before anybody deploys it."""
    fields = {f"s{n}": nullable(HASTY.get("/x", into=Item)) for n in range(61)}
    wide: type[Sections] = type("Wide", (Sections,), fields)

    assert explain(wide, timedelta(seconds=3)).problems == (
        "Wide: 61 sections, but one answer has at most 60 branches; split the screen",
    )


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
    assert deadline_of("timeout: 1m") == deadline_of("timeout: 24h") == deadline_of("timeout: 1d") == 3000 * MS
    assert deadline_of('timeout: "700ms"') == deadline_of("{timeout: ${FAST:-700ms}, a: b}") == 600 * MS
    assert deadline_of("timeout: 3s  # was timeout: 1s") == 2900 * MS


def test_a_timeout_that_cannot_be_read_is_said_and_not_passed_over() -> None:
    """With its line: a longer one would be judged in its place."""
    fragment = "routes:\n  - {timeout: ${FAST}, name: a}\n  - timeout: soon\n  - timeout: 3s\n"

    assert list(unreadable_timeouts(fragment)) == [
        "edge.yaml:2: timeout '${FAST' cannot be read; write an amount such as 3s or 1500ms",
        "edge.yaml:3: timeout 'soon' cannot be read; write an amount such as 3s or 1500ms",
    ]
    __import__("bffs.mobile.app")
    text, well = report("bffs.mobile", fragment)
    assert not well
    assert "problem: edge.yaml:3: " in text


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
    assert text.count("problem: ") == text.count(" 2 attempts, 1,525 ms;") > 0  # one for each call that is tried twice

    text, well = report("bffs.nobody", "")
    assert (text.splitlines()[-1], well) == ("problem: bffs.nobody declares no screen", False)


BAD = """
import sys
from datetime import timedelta
from bffs.{bff} import __main__ as bff, backends
from shared.backends.backend import Backend, CallPolicy
from shared.backends.sections import Sections, nullable
slow = Backend("slow", CallPolicy(attempt_timeout=timedelta(seconds=4)))
type("Slow", (Sections,), {{"item": nullable(slow.get("/x", into=int)), "__module__": "bffs.{bff}.slow"}})
sys.exit(bff.main(["explain"]))
"""


@pytest.mark.parametrize("bff", ["mobile", "web"])
def test_the_command_fails_with_a_screen_that_does_not_fit(bff: str) -> None:
    """Exit 1 and the finding on stdout; 0 and no finding with the screens as they are."""

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)

    bad, good = run("-c", BAD.format(bff=bff)), run("-m", f"bffs.{bff}", "explain")

    assert (bad.returncode, good.returncode) == (1, 0), bad.stderr + good.stderr
    assert "problem: Slow.item: slow's attempt timeout of 4,000 ms is not below the 2,875 ms" in bad.stdout
    assert "problem" not in good.stdout
    assert "at most 60 branches (FRONTAGE_MAX_BRANCHES) and 2 retries or hedges in all" in good.stdout
