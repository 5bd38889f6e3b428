"""A backend that mostly fails is left alone for a while, then asked by a few. All times are the manual clock's."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest

from shared.errors import BreakerOpen, Reason
from shared.resilience.breaker import Breaker, BreakerPolicy, BreakerState, BreakerTurnedEvent
from shared.resilience.verdict import Verdict
from shared.testing.clock import ManualClock

CLOSED, OPEN, HALF_OPEN = BreakerState
SUCCESS, FAILURE, OVERLOAD, IGNORED = Verdict
OPEN_S, WINDOW_S, PROBE_S = 5.0, 10.0, 2.0


class Tried:
    """A breaker on a hand-turned clock, without jitter unless it is asked for."""

    def __init__(self, seed: int = 7, **policy: Any) -> None:
        self.clock = ManualClock()
        self.turned: list[BreakerState] = []
        fields = {"minimum_calls": 10, "jitter": 0.0, **policy}
        self.breaker = Breaker("orders", BreakerPolicy(**fields), self.clock, Random(seed), self._note)

    def _note(self, event: BreakerTurnedEvent) -> None:
        assert event.backend == "orders"
        self.turned.append(event.state)

    def call(self, verdict: Verdict, times: int = 1, elapsed_s: float = 0.01) -> None:
        for _ in range(times):
            self.breaker.done(self.breaker.admit(), verdict, elapsed_s)

    def rejected(self) -> BreakerOpen:
        with pytest.raises(BreakerOpen) as raised:
            self.breaker.admit()
        return raised.value

    @classmethod
    def opened(cls, **policy: Any) -> "Tried":
        tried = cls(**policy)
        tried.call(FAILURE, 10)
        assert tried.breaker.state is OPEN
        return tried

    @classmethod
    def half_open(cls, **policy: Any) -> "Tried":
        """Return a breaker whose open time is just over: the next call is its first probe."""
        tried = cls.opened(**policy)
        tried.clock.turn(OPEN_S)
        return tried


def test_too_few_calls_say_nothing() -> None:
    """Nine failures of nine: below the minimum, closed."""
    tried = Tried()
    tried.call(FAILURE, 9)
    assert tried.breaker.state is CLOSED

    tried.call(FAILURE)
    assert tried.breaker.state is OPEN


@pytest.mark.parametrize(("failures", "state"), [(49, CLOSED), (50, OPEN)])
def test_it_opens_at_the_failure_rate(failures: int, state: BreakerState) -> None:
    """Half is enough, less is not."""
    tried = Tried(minimum_calls=100, failure_rate=0.5)
    tried.call(SUCCESS, 100 - failures)
    tried.call(FAILURE, failures)

    assert tried.breaker.state is state


def test_overload_is_a_failure() -> None:
    """The backend itself says that it cannot."""
    tried = Tried()
    tried.call(OVERLOAD, 10)

    assert tried.breaker.state is OPEN


@pytest.mark.parametrize(("slow", "state"), [(8, CLOSED), (9, OPEN)])
def test_it_opens_at_the_slow_call_rate(slow: int, state: BreakerState) -> None:
    """Nine of ten take as long as the team calls slow, or longer; all of them succeed."""
    tried = Tried(slow_after=timedelta(seconds=1), slow_rate=0.9)
    tried.call(SUCCESS, 10 - slow, elapsed_s=0.999)
    tried.call(SUCCESS, slow, elapsed_s=1.0)

    assert tried.breaker.state is state


def test_without_a_word_on_slowness_nothing_is_slow() -> None:
    """No guess shuts out a backend that is slow by nature."""
    tried = Tried()
    tried.call(SUCCESS, 1000, elapsed_s=60.0)

    assert tried.breaker.state is CLOSED


def test_old_failures_are_forgotten() -> None:
    """Nine failures, a window's silence, and another: one failure of one."""
    tried = Tried()
    tried.call(FAILURE, 9)
    tried.clock.turn(WINDOW_S)
    tried.call(FAILURE)

    assert tried.breaker.state is CLOSED


def test_recent_failures_are_not() -> None:
    """Just within the window they still count, whichever slice they fell into."""
    for start in range(20):
        tried = Tried()
        tried.clock.turn(start / 10)
        tried.call(FAILURE, 9)
        tried.clock.turn(WINDOW_S * 0.9 - 0.1)
        tried.call(FAILURE)
        assert tried.breaker.state is OPEN


def test_a_slow_trickle_of_failures_is_a_rate_too() -> None:
    """About one call a second, all failing: ten are in the window at any time."""
    tried = Tried()
    for _ in range(10):
        tried.clock.turn(0.9)
        tried.call(FAILURE)

    assert tried.turned == [OPEN]


def test_an_open_breaker_says_when_to_come_back() -> None:
    """The rest of the open time, shrinking; reason ``rejected``; never worth an immediate retry."""
    tried = Tried.opened()
    for after_s in (0.0, 1.5, 3.0):
        tried.clock.turn(after_s - (tried.clock.now_s() - 1000.0))
        error = tried.rejected()
        assert error.retry_after == timedelta(seconds=OPEN_S - after_s)
        assert (error.backend, error.reason, error.transient) == ("orders", Reason.REJECTED, False)


def test_the_open_time_is_jittered_and_seeded() -> None:
    """Within a fifth both ways, different in every process, the same for the same seed."""

    def rest(seed: int) -> timedelta:
        wait = Tried.opened(seed=seed, jitter=0.2).rejected().retry_after
        assert wait is not None
        return wait

    rests = {rest(seed) for seed in range(50)}
    assert len(rests) == 50
    assert min(rests) >= timedelta(seconds=4)
    assert max(rests) <= timedelta(seconds=6)
    assert rest(3) == rest(3)


def test_one_success_closes() -> None:
    """And everything is counted anew: the failures before say nothing about the backend that came back."""
    tried = Tried.half_open()
    tried.call(SUCCESS)
    assert tried.turned == [OPEN, HALF_OPEN, CLOSED]

    tried.call(FAILURE, 9)
    assert tried.breaker.state is CLOSED


def test_one_failure_opens_again_for_the_whole_time() -> None:
    """A probe that fails is proof enough."""
    tried = Tried.half_open()
    tried.call(FAILURE)

    assert tried.turned == [OPEN, HALF_OPEN, OPEN]
    assert tried.rejected().retry_after == timedelta(seconds=OPEN_S)


def test_a_slow_success_does_not_close() -> None:
    """What was shut out for slowness must be fast to come back."""
    tried = Tried.half_open(slow_after=timedelta(seconds=1))
    tried.call(SUCCESS, elapsed_s=1.0)

    assert tried.breaker.state is OPEN


def test_case_s5_at_most_so_many_probes_in_parallel() -> None:
    """The fourth of three is rejected, and told when a permit comes back at the latest."""
    tried = Tried.half_open(probes=3)
    for _ in range(3):
        tried.breaker.admit()
        tried.clock.turn(0.25)

    assert tried.rejected().retry_after == timedelta(seconds=PROBE_S - 0.75)
    assert tried.breaker.probing == 3


def test_case_s5_a_cancelled_probe_gives_its_permit_back() -> None:
    """Neither success nor failure: still half-open, the next call is admitted, its success closes."""
    tried = Tried.half_open(probes=1)
    for _ in range(50):
        probe = tried.breaker.admit()
        tried.rejected()
        tried.breaker.done(probe, IGNORED, 0.5)
        assert tried.breaker.state is HALF_OPEN

    tried.call(SUCCESS)
    assert tried.breaker.state is CLOSED


def test_case_s5_a_probe_that_hangs_gives_its_permit_back_after_the_probe_timeout() -> None:
    """Its ticket was lost: at 2 s to the millisecond the next call is admitted, and its success closes."""
    tried = Tried.half_open(probes=1)
    lost = tried.breaker.admit()
    tried.clock.turn(PROBE_S - 0.001)
    tried.rejected()

    tried.clock.turn(0.001)
    tried.call(SUCCESS)

    assert tried.breaker.state is CLOSED
    tried.breaker.done(lost, FAILURE, 60.0)
    assert tried.breaker.state is CLOSED


def test_a_late_probe_still_says_what_it_saw() -> None:
    """Its permit is back already; its failure opens all the same, and its permit does not come back twice."""
    tried = Tried.half_open(probes=1)
    late = tried.breaker.admit()
    tried.clock.turn(PROBE_S)
    tried.breaker.admit()

    tried.breaker.done(late, IGNORED, PROBE_S)
    assert tried.breaker.probing == 1
    tried.breaker.done(late, FAILURE, PROBE_S)
    assert tried.breaker.state is OPEN


def test_a_verdict_from_an_earlier_state_says_nothing_about_this_one() -> None:
    """What was sent before it opened neither closes nor reopens it; what was sent before it closed is not counted."""
    tried = Tried()
    old = [tried.breaker.admit() for _ in range(30)]
    tried.call(FAILURE, 10)
    tried.clock.turn(OPEN_S)
    probe = tried.breaker.admit()

    for ticket in old[:10]:
        tried.breaker.done(ticket, SUCCESS, 0.01)
        tried.breaker.done(ticket, FAILURE, 0.01)
    assert tried.breaker.state is HALF_OPEN
    assert tried.breaker.probing == 1

    tried.breaker.done(probe, SUCCESS, 0.01)
    for ticket in old[10:]:
        tried.breaker.done(ticket, FAILURE, 5.0)
    assert tried.breaker.state is CLOSED


def test_case_s6_what_is_ignored_neither_opens_nor_dilutes() -> None:
    """Fifty ignored calls: closed. Mixed in between failures: open at the same count as without them."""
    tried = Tried(minimum_calls=10)
    tried.call(IGNORED, 50)
    assert tried.turned == []

    for _ in range(9):
        tried.call(FAILURE)
        tried.call(IGNORED, 5)
    assert tried.turned == []
    tried.call(FAILURE)
    assert tried.turned == [OPEN]


def test_case_s6_an_ignored_probe_leaves_it_half_open() -> None:
    """A 400 is no proof of health, and no failure."""
    tried = Tried.half_open()
    tried.call(IGNORED)

    assert tried.breaker.state is HALF_OPEN
    assert tried.breaker.probing == 0


def test_the_defaults_are_the_documented_ones() -> None:
    """docs/resilience.md's rows; a change here is a change there."""
    assert BreakerPolicy() == BreakerPolicy(
        window=timedelta(seconds=10), minimum_calls=20, failure_rate=0.5, slow_after=None, slow_rate=0.9,
        open_for=timedelta(seconds=5), jitter=0.2, probes=3, probe_timeout=timedelta(seconds=2),
    )  # fmt: skip


def test_an_operator_reads_the_states_in_words() -> None:
    """In metrics, logs and rejections: closed, open, half_open."""
    assert [state.value for state in BreakerState] == ["closed", "open", "half_open"]
    assert str(Tried.opened().rejected()) == "orders: breaker is open"


def test_probes_of_an_earlier_half_open_take_no_place() -> None:
    """One failed and it opened again; the other's permit is not missing when it is asked the next time."""
    tried = Tried.half_open(probes=2, open_for=timedelta(seconds=1), probe_timeout=timedelta(seconds=60))
    tried.breaker.admit()
    tried.breaker.done(tried.breaker.admit(), FAILURE, 0.01)
    assert (tried.breaker.state, tried.breaker.probing) == (OPEN, 0)

    tried.clock.turn(1)
    for _ in range(2):
        tried.breaker.admit()
    assert tried.breaker.probing == 2
