"""Trace ids: joined when well formed, begun otherwise, and sampled by everyone alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.telemetry.ledger import Ledger, read_origin

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("flags", "sampled"), [("00", False), ("01", True), ("03", True), ("02", False), ("ff", True), ("fe", False)]
)
@pytest.mark.parametrize("ratio", [0.0, 1.0])
def test_case_t2_the_callers_decision_stands(flags: str, sampled: bool, ratio: float) -> None:
    """Whatever our own ratio: same trace, same decision."""
    origin = read_origin(f"00-{TRACE}-{SPAN}-{flags}", "", ratio)

    assert (origin.trace_id, origin.parent_id, origin.sampled) == (TRACE, SPAN, sampled)


@pytest.mark.parametrize(("ratio", "sampled"), [(0.0, False), (1.0, True)])
def test_case_t2_without_a_caller_the_ratio_decides(ratio: float, sampled: bool) -> None:
    """A trace of our own, with no parent."""
    for _ in range(100):
        origin = read_origin(None, "", ratio)
        assert origin.sampled is sampled
        assert origin.parent_id is None
        assert len(origin.trace_id) == 32
        assert int(origin.trace_id, 16) > 0


def test_a_ratio_between_takes_its_share() -> None:
    """A tenth is about a tenth."""
    taken = sum(read_origin(None, "", 0.1).sampled for _ in range(5000))

    assert 350 < taken < 650


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "garbage",
        f"00-{TRACE}-{SPAN}",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}x-{SPAN}-01",
        f" 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
    ],
    ids=ascii,
)
def test_a_malformed_parent_begins_a_new_trace(garbage: str) -> None:
    """As the recommendation says: never half of a stranger's trace, and none of its state."""
    origin = read_origin(garbage, "vendor=1", 1.0)

    assert origin.trace_id != TRACE
    assert (origin.parent_id, origin.tracestate) == (None, "")


def test_a_later_version_is_read_by_its_first_four_fields() -> None:
    """W3C Trace Context §4.2."""
    assert read_origin(f"cc-{TRACE}-{SPAN}-01-what-the-future-brings", "", 0.0).trace_id == TRACE


@pytest.mark.parametrize("state", ["vendor=1", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "t/x@v= a b , b=2"])
def test_a_vendors_state_travels_with_the_trace(state: str) -> None:
    """Untouched: we have none of our own to add."""
    assert read_origin(f"00-{TRACE}-{SPAN}-01", state, 0.0).tracestate == state


@pytest.mark.parametrize(
    "state",
    ["ada@example.test", "A=1", "a=1,", "a=é", "a=1\tb", "a" * 300 + "=1", "a=" + "x" * 600, "a=1," * 40 + "a=1"],
    ids=lambda state: state[:12],
)
def test_a_state_that_is_none_goes_no_further(state: str) -> None:
    """Neither to backends nor into a library's warning, which would quote it."""
    assert read_origin(f"00-{TRACE}-{SPAN}-01", state, 0.0).tracestate == ""


@given(traceparent=st.text(max_size=80), state=st.text(max_size=600))
def test_no_header_is_an_exception(traceparent: str, state: str) -> None:
    """There is always a trace id of 32 hex digits."""
    origin = read_origin(traceparent, state, 0.5)

    assert set(origin.trace_id) <= set("0123456789abcdef")
    assert len(origin.trace_id) == 32


@pytest.mark.parametrize("flag", ["00", "01"])
def test_what_goes_out_is_well_formed(flag: str) -> None:
    """The same trace and flag, the id of the span that calls."""
    ledger = Ledger(read_origin(f"00-{TRACE}-{SPAN}-{flag}", "", 0.0), "GET", 1.0)

    assert ledger.traceparent(0xAB) == f"00-{TRACE}-00000000000000ab-{flag}"
