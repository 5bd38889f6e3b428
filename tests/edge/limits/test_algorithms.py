"""The three algorithms: what they promise, and that the script in the store keeps to them line for line."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.limits.judging import JUDGE, arguments
from shared.limits.decide import Check, Verdict, judge
from shared.limits.policy import Algorithm, LimitPolicy

SECOND = 1_000_000
EPOCH = 1_795_000_000 * SECOND
EXACT = (Algorithm.SLIDING_WINDOW, Algorithm.SLIDING_LOG)


def policy(algorithm: Algorithm = Algorithm.SLIDING_LOG, limit: int = 10, window_s: int = 10, **more) -> LimitPolicy:
    return LimitPolicy(
        name="p", algorithm=algorithm, limit=limit, window=timedelta(seconds=window_s), **{"segments": 6, **more}
    )


class Counter:
    """One key over time; time is given in seconds after an arbitrary start."""

    def __init__(self, of: LimitPolicy) -> None:
        self.of, self.states = of, {}

    def __call__(self, at_s: float, cost: int = 1) -> Verdict:
        return judge(self.states, [Check(self.of, "k", cost)], EPOCH + round(at_s * SECOND))[0]

    def admitted(self, at_s: float, calls: int) -> int:
        return sum(self(at_s).fits for _ in range(calls))


@pytest.mark.parametrize("algorithm", EXACT)
def test_case_l4_a_no_double_burst_at_a_border(algorithm):
    """Ten at 9.5 s, ten more at 10.5 s: the second ten are refused."""
    call = Counter(policy(algorithm))
    assert call.admitted(9.5, 10) == 10
    assert call.admitted(10.5, 10) == 0


@pytest.mark.parametrize("algorithm", EXACT)
def test_case_l4_b_a_full_window_is_free_again_when_it_has_passed(algorithm):
    """Silence, then one call at +10.01 s: a burst's segment is held from its last call on, not to a border."""
    call = Counter(policy(algorithm))
    assert call.admitted(0.0, 10) == 10
    assert call.admitted(10.01, 1) == 1


@pytest.mark.parametrize("algorithm", Algorithm)
def test_case_l4_c_refused_calls_cost_nothing(algorithm):
    """Fifty refused calls do not move the moment at which the first unit is free again."""
    call = Counter(policy(algorithm))
    assert call.admitted(0.0, 10) == 10
    assert not any(call(0.0 + n / 100).fits for n in range(50))
    assert call(10.0).fits


@pytest.mark.parametrize("algorithm", Algorithm)
def test_case_l4_d_a_dear_call_is_refused_whole(algorithm):
    """Two are left: five are refused, one fits."""
    call = Counter(policy(algorithm))
    assert call.admitted(0.0, 8) == 8
    assert not call(0.0, cost=5).fits
    assert call(0.0).fits


@pytest.mark.parametrize("algorithm", Algorithm)
def test_who_waits_as_told_is_admitted(algorithm):
    """The wait of a refused call is exact, positive, and at most the window."""
    call = Counter(policy(algorithm, limit=3))
    now = 0.0
    for step in range(40):
        verdict = call(now)
        if verdict.fits:
            now += (step % 3) / 7
            continue
        assert 0 < verdict.wait_us <= 10 * SECOND
        assert call(now + verdict.wait_us / SECOND).fits
        now += verdict.wait_us / SECOND


def test_one_refusing_limit_keeps_the_others_whole():
    """All limits of a request, or none: what the minute refuses is not taken from the day."""
    minute, day = policy(limit=1), policy(limit=100, window_s=86_400)
    states = {}
    checks = [Check(minute, "m"), Check(day, "d")]
    assert [one.fits for one in judge(states, checks, EPOCH)] == [True, True]
    assert [one.left for one in judge(states, checks, EPOCH)] == [0, 99]


def test_a_shadow_limit_refuses_nobody_and_takes_part():
    """Over it, the others are charged all the same; it is not."""
    shadow, real = policy(limit=1, shadow=True), policy(limit=5)
    states = {}
    seen = [judge(states, [Check(shadow, "s"), Check(real, "r")], EPOCH) for _ in range(3)]
    assert [[one.fits for one in verdicts] for verdicts in seen] == [[True, True], [False, True], [False, True]]
    assert seen[-1][1].left == 2


def dotnet(limit: int, window_s: float, segments: int, calls: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """.NET's SlidingWindowRateLimiter: at each segment's begin it gives back what was taken N segments before."""
    length = window_s / segments
    taken, permits, segment, admitted = {}, limit, 0, []
    for at_s, count in calls:
        while (segment + 1) * length <= at_s:
            segment += 1
            permits += taken.pop(segment - segments, 0)
        got = min(count, permits)
        permits -= got
        taken[segment] = taken.get(segment, 0) + got
        admitted.append((at_s, got))
    return admitted


def test_the_seeds_hundred_a_minute_is_a_hundred_a_minute():
    """100 at 9.9 s, 100 more at 60.0 s: .NET's segments admit all 200 within 50.1 s, ours a hundred of them."""
    calls = [(9.9, 100), (60.0, 100)]
    assert dotnet(100, 60.0, 6, calls) == [(9.9, 100), (60.0, 100)]

    ours = Counter(policy(Algorithm.SLIDING_WINDOW, limit=100, window_s=60))
    assert [ours.admitted(at_s, count) for at_s, count in calls] == [100, 0]
    assert ours.admitted(69.9, 100) == 100


TIMES = st.lists(st.tuples(st.integers(0, 4 * SECOND), st.integers(1, 6)), min_size=1, max_size=60)


@given(algorithm=st.sampled_from(EXACT), limit=st.integers(1, 20), segments=st.integers(1, 12), steps=TIMES)
def test_no_window_whatever_its_start_admits_more(algorithm, limit, segments, steps):
    """Every span of the stated length holds at most the limit; a log refuses only what truly would not fit."""
    of = policy(algorithm, limit, segments=segments)
    states, admitted, now = {}, [], EPOCH
    for step_us, cost in steps:
        now += step_us
        live = [at for at in admitted if at + of.window_us > now]
        held = [at for at in admitted if at + of.window_us + of.window_us // segments > now]
        fits = judge(states, [Check(of, "k", cost)], now)[0].fits
        if fits:
            admitted += [now] * cost
            assert len(live) + cost <= limit
        elif algorithm is Algorithm.SLIDING_LOG:
            assert len(live) + cost > limit
        else:  # stricter by at most one segment
            assert len(held) + cost > limit


@given(limit=st.integers(1, 20), steps=TIMES)
def test_a_bucket_holds_a_burst_and_leaks_evenly(limit, steps):
    """Over any span: at most the limit at once, plus what leaks meanwhile."""
    of = policy(Algorithm.TOKEN_BUCKET, limit)
    states, admitted, now = {}, [], EPOCH
    for step_us, cost in steps:
        now += step_us
        if judge(states, [Check(of, "k", cost)], now)[0].fits:
            admitted.append((now, cost))
    for first in range(len(admitted)):
        for last in range(first, len(admitted)):
            units = sum(cost for _, cost in admitted[first : last + 1])
            span_ms = (admitted[last][0] - admitted[first][0]) // 1000 + 1  # the bucket counts whole milliseconds
            assert units <= limit + limit * span_ms / 10_000


POLICIES = st.lists(
    st.builds(
        LimitPolicy,
        name=st.just("p"),
        algorithm=st.sampled_from(Algorithm),
        limit=st.integers(1, 12),
        window=st.integers(1, 20).map(lambda seconds: timedelta(seconds=seconds)),
        segments=st.integers(1, 7),
        shadow=st.booleans(),
    ),
    min_size=1,
    max_size=4,
)
REQUEST = st.dictionaries(st.integers(0, 3), st.sampled_from([0, 1, 1, 1, 2, 5, 13]), min_size=1, max_size=3)
STEP = st.one_of(st.just(0), st.integers(0, 2000), st.integers(0, 30 * SECOND))
RUN = st.lists(st.tuples(STEP, st.lists(REQUEST, min_size=1, max_size=3)), min_size=1, max_size=25)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(policies=POLICIES, run=RUN)
def test_the_script_in_the_store_is_the_model(script, policies, run):
    """Whatever comes, in whatever batches: the store's verdicts are those of ``decide.py``, to the microsecond."""
    script.forget()
    states, now = {}, EPOCH
    for step_us, batch in run:
        now += step_us
        requests = [
            [Check(policies[n % len(policies)], f"k{n % len(policies)}", cost) for n, cost in request.items()]
            for request in batch
        ]
        requests = [list({check.key: check for check in request}.values()) for request in requests]
        expected = [verdict for checks in requests for verdict in judge(states, checks, now)]
        assert script(requests, now) == expected


class StoredScript:
    """``judge.lua`` in a real store, with the clock in our hands."""

    def __init__(self, client) -> None:
        self.client = client
        self.run = client.register_script(JUDGE.text)

    def forget(self) -> None:
        self.client.flushall()

    def __call__(self, requests, now="") -> list[Verdict]:
        keys, words = arguments(requests, now)
        return JUDGE.read(self.run(keys, [int(one) if isinstance(one, bool) else one for one in words]))


@pytest.fixture(scope="module", params=["valkey", "redis"])
def script(request):
    from tests.shared.store.servers import serving  # noqa: PLC0415 - the other tests here need no server

    with serving(request.param) as server, server.client as client:
        yield StoredScript(client)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_clock_that_steps_back_neither_opens_nor_jams_a_limit(script, algorithm):
    """The store's own clock went back an hour: within a window all is as it should be, and no window admits more."""
    script.forget()
    of = policy(algorithm, limit=5)
    check = [Check(of, "k")]
    assert sum(script([check], EPOCH)[0].fits for _ in range(7)) == 5
    back = EPOCH - 3600 * SECOND
    assert sum(script([check], back + n)[0].fits for n in range(7)) == 0
    assert sum(script([check], back + 11 * SECOND)[0].fits for _ in range(7)) == 5


@pytest.mark.parametrize("algorithm", Algorithm)
def test_in_service_the_store_s_own_clock_counts_and_keys_go_by_themselves(script, algorithm):
    """Nobody's clock is sent; a key outlives its window by about a second."""
    script.forget()
    of = policy(algorithm, limit=5)
    assert sum(script([[Check(of, "k")]])[0].fits for _ in range(7)) == 5
    assert 0 < script.client.pttl("k") <= 11_000


def test_a_large_batch_of_units_fits_on_the_stack(script):
    """A log's dearest call pushes ten thousand times."""
    script.forget()
    of = policy(limit=10_000)
    assert script([[Check(of, "k", 10_000)]], EPOCH) == [Verdict(fits=True, left=0, wait_us=10 * SECOND)]
    assert not script([[Check(of, "k", 1)]], EPOCH)[0].fits
