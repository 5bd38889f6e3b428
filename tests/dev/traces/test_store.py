import sqlite3
from pathlib import Path

import pytest

from dev.traces import store as rooms
from dev.traces.otlp import decode_json, spans_of
from dev.traces.search import TraceQuery, find, size
from dev.traces.span import Span
from dev.traces.store import Store
from tests.dev.traces.samples import TRACE_ID, as_json, dashboard


def one_span(trace: int, number: int = 1, parent: int = 0, name: str = "x") -> Span:
    return Span(
        trace_id=f"{trace:032x}", span_id=f"{number:016x}", parent_id=f"{parent:016x}" if parent else "",
        service="mobile", name=name, start_us=trace * 1_000, duration_us=10,
        body={"tags": [], "logs": [], "links": [], "warnings": None},
    )  # fmt: skip


def ids(store: Store) -> list[int]:
    return [int(trace_id, 16) for trace_id, _ in find(store, TraceQuery(limit=1_000))]


def test_the_newest_traces_stay() -> None:
    """Beyond the bound the oldest trace goes, with its spans; one is newest that came last."""
    store = Store(":memory:", max_traces=3)
    for trace in range(1, 11):
        store.add([one_span(trace), one_span(trace, 2)])

    assert ids(store) == [10, 9, 8]
    assert size(store) == (3, 6)
    store.close()


def test_a_full_trace_takes_no_more_and_says_so() -> None:
    """A runaway trace keeps its first spans; what did not fit is counted."""
    store = Store(":memory:", max_spans=5)

    dropped = store.add([one_span(1, number, parent=99) for number in range(1, 9)])

    trace = store.get(f"{1:032x}")
    assert (dropped, len(trace.spans), trace.dropped) == (3, 5, 3)
    store.close()


def test_the_root_fits_into_a_full_trace() -> None:
    """The root ends last and so comes last: it takes the place of a child, once for each root."""
    store = Store(":memory:", max_spans=3)
    store.add([one_span(1, number, parent=99) for number in (1, 2, 3)])

    assert store.add([one_span(1, 99)]) == 1
    assert store.add([one_span(1, number) for number in range(100, 110)]) == 10

    trace = store.get(f"{1:032x}")
    assert len(trace.spans) == 3
    assert {span.span_id for span in trace.spans} == {f"{number:016x}" for number in (99, 100, 101)}
    store.close()


def test_late_spans_join_their_trace() -> None:
    """The edge exports seconds after the BFF; a span sent twice is one span, as it was last."""
    store = Store(":memory:")
    store.add([one_span(1, 2, parent=1), one_span(2)])
    store.add([one_span(1, 1), one_span(1, 2, parent=1, name="again")])

    assert [span.name for span in store.get(f"{1:032x}").spans] == ["x", "again"]
    assert size(store) == (2, 3)
    store.close()


def test_all_spans_together_are_bounded(request: pytest.FixtureRequest) -> None:
    """Many large traces cannot fill the disk."""
    bound = pytest.MonkeyPatch()
    request.addfinalizer(bound.undo)
    bound.setattr(rooms, "MAX_STORED_SPANS", 10)
    store = Store(":memory:")
    for trace in range(1, 6):
        store.add([one_span(trace, number) for number in range(1, 5)])

    assert ids(store) == [5, 4]
    store.close()


def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    """The same traces are there, tag for tag."""
    file = str(tmp_path / "deep" / "traces.sqlite")
    store = Store(file)
    store.add(spans_of(decode_json(as_json(dashboard())))[0])
    before = store.get(TRACE_ID)
    store.close()

    again = Store(file)
    assert again.get(TRACE_ID) == before
    again.close()


@pytest.mark.parametrize("kind", ["damaged", "another version"])
def test_a_file_it_cannot_read_is_set_aside(tmp_path: Path, kind: str) -> None:
    """The viewer starts anyway, and throws nothing away."""
    file = tmp_path / "traces.sqlite"
    if kind == "damaged":
        file.write_bytes(b"not a database, " * 100)
    else:
        db = sqlite3.connect(file)
        db.execute("PRAGMA user_version = 99")
        db.close()

    store = Store(str(file))
    store.add([one_span(1)])

    assert ids(store) == [1]
    assert (tmp_path / "traces.sqlite.unreadable").exists()
    store.close()


def test_a_folder_without_rights_is_an_error_not_a_loss(tmp_path: Path) -> None:
    """What cannot be opened is not moved away."""
    (tmp_path / "traces.sqlite").mkdir()

    with pytest.raises(sqlite3.OperationalError):
        Store(str(tmp_path / "traces.sqlite"))
    assert (tmp_path / "traces.sqlite").is_dir()
