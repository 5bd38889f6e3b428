import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from dev.traces import body
from dev.traces.counters import Counters
from dev.traces.ingest import create_otlp_app
from dev.traces.otlp import decode_json, decode_protobuf, spans_of
from dev.traces.store import Store
from tests.dev.traces.samples import TRACE_ID, as_json, as_protobuf, dashboard, export, span

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}
GZIP = {"content-encoding": "gzip"}


@pytest.fixture
async def otlp(store: Store, counters: Counters) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_otlp_app(store, counters))
    async with httpx.AsyncClient(transport=transport, base_url="http://traces") as http:
        yield http


def test_both_formats_say_the_same() -> None:
    """A span is the same span whether it came as protobuf or as JSON."""
    document = dashboard()

    from_json, _ = spans_of(decode_json(as_json(document)))
    from_protobuf, _ = spans_of(decode_protobuf(as_protobuf(document)))

    assert from_json == from_protobuf
    assert {one.service for one in from_json} == {"edge", "mobile", "users"}


async def test_protobuf_is_kept_and_answered(otlp: httpx.AsyncClient, store: Store) -> None:
    """The SDK's exporter gets an ExportTraceServiceResponse, and the spans are there."""
    answer = await otlp.post("/v1/traces", content=as_protobuf(dashboard()), headers=PROTOBUF)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-protobuf")
    assert ExportTraceServiceResponse.FromString(answer.content) == ExportTraceServiceResponse()
    trace = store.get(TRACE_ID)
    assert trace is not None
    assert len(trace.spans) == 12


async def test_json_and_gzip_are_kept_and_answered(otlp: httpx.AsyncClient, store: Store) -> None:
    """OTLP/JSON has hexadecimal ids, and any body may come packed."""
    packed = gzip.compress(as_json(dashboard()))
    answer = await otlp.post("/v1/traces", content=packed, headers={"content-type": "application/json; x=y", **GZIP})

    assert (answer.status_code, answer.json()) == (200, {})
    assert store.get(TRACE_ID) is not None


async def test_an_empty_export_is_fine(otlp: httpx.AsyncClient) -> None:
    """OTLP allows a request without spans; in protobuf that is no byte at all."""
    assert (await otlp.post("/v1/traces", content=b"", headers=PROTOBUF)).status_code == 200


async def test_spans_without_valid_ids_are_left_out_and_counted(
    otlp: httpx.AsyncClient, store: Store, counters: Counters
) -> None:
    """One bad span does not cost the batch, and the exporter is told."""
    good = span(1, 0, "good", 0, 1, "server")
    bad = [
        {**good, "traceId": "00" * 16},
        {**good, "spanId": ""},
        {**good, "traceId": "abcd"},
        {**good, "spanId": "00" * 8},
    ]

    answer = await otlp.post("/v1/traces", content=as_json(export(mobile=[good, *bad])), headers=JSON)

    assert answer.json()["partialSuccess"]["rejectedSpans"] == "4"
    assert "trace_id must be 16 bytes" in answer.json()["partialSuccess"]["errorMessage"]
    assert len(store.get(TRACE_ID).spans) == 1
    assert (counters.received, counters.rejected) == (1, 4)


@pytest.mark.parametrize(
    ("content", "headers", "status", "told"),
    [
        pytest.param(b"\xff\xff\xff", PROTOBUF, 400, "not an ExportTraceServiceRequest", id="no-protobuf"),
        pytest.param(b"{", JSON, 400, "not OTLP/JSON", id="no-json"),
        pytest.param(b"[]", JSON, 400, "not OTLP/JSON", id="no-object"),
        pytest.param(b'{"resourceSpans": 3}', JSON, 400, "not OTLP/JSON", id="wrong-shape"),
        pytest.param(b"[" * 100_000, JSON, 400, "not OTLP/JSON", id="nested-too-deep"),
        pytest.param(
            b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"S/kvNXezTaajzpKdDg5HNg=="}]}]}]}',
            *(JSON, 400, "traceId must be hexadecimal"),
            id="base64-id",
        ),
        pytest.param(b"x", {"content-type": "text/plain"}, 415, "application/x-protobuf", id="other-type"),
        pytest.param(b"x", {}, 415, "application/json", id="no-type"),
        pytest.param(b"x", {**JSON, "content-encoding": "br"}, 415, "gzip", id="other-encoding"),
        pytest.param(b"plain text", {**PROTOBUF, **GZIP}, 400, "not gzip", id="no-gzip"),
        pytest.param(gzip.compress(b"{}")[:-9], {**JSON, **GZIP}, 400, "ends too early", id="half-gzip"),
        pytest.param(bytes(body.MAX_WIRE_BYTES + 1), PROTOBUF, 413, "smaller batches", id="too-large"),
        pytest.param(
            gzip.compress(bytes(body.MAX_BODY_BYTES + 1)), {**PROTOBUF, **GZIP}, 413, "unpacked", id="gzip-bomb"
        ),
    ],
)
async def test_a_bad_export_is_refused_with_its_reason(
    otlp: httpx.AsyncClient, counters: Counters, content: bytes, headers: dict[str, str], status: int, told: str
) -> None:
    """Each gets its status and a google.rpc.Status in the sender's own format; nothing is kept."""
    answer = await otlp.post("/v1/traces", content=content, headers=headers)

    assert answer.status_code == status
    if answer.headers["content-type"] == "application/x-protobuf":
        message = ExportTracePartialSuccess.FromString(answer.content).error_message  # same wire shape as Status
    else:
        message = answer.json()["message"]
    assert told in message
    assert (counters.refused, counters.received) == (1, 0)


async def test_a_body_without_a_length_is_bounded_too(otlp: httpx.AsyncClient) -> None:
    """Chunked transfer is no way around the limit."""

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(2**20)

    assert (await otlp.post("/v1/traces", content=endless(), headers=PROTOBUF)).status_code == 413


def test_every_kind_of_attribute_becomes_a_tag_of_bounded_size() -> None:
    """Types are Jaeger's; what JSON or JavaScript cannot hold is text; long values are cut, visibly."""
    values = {
        "text": {"stringValue": "x" * 10_000},
        "big": {"intValue": str(2**60)},
        "small": {"intValue": "7"},
        "share": {"doubleValue": 0.5},
        "nan": {"doubleValue": "NaN"},
        "flag": {"boolValue": False},
        "bytes": {"bytesValue": "AAE="},
        "list": {"arrayValue": {"values": [{"intValue": "1"}, {"stringValue": "ä"}]}},
        "map": {"kvlistValue": {"values": [{"key": "a", "value": {"boolValue": True}}]}},
        "nothing": {},
    }
    one = span(1, 0, "x", 0, 1, "client")
    one["attributes"] = [{"key": key, "value": value} for key, value in values.items()]
    one["attributes"] += [{"key": f"more{at}", "value": {"intValue": "1"}} for at in range(1_000)]

    spans, _ = spans_of(decode_json(as_json(export(mobile=[one]))))
    tags = {tag["key"]: (tag["type"], tag["value"]) for tag in spans[0].body["tags"]}

    assert len(tags["text"][1]) == 4_096
    assert tags["text"][1].endswith("…")
    assert tags["big"] == ("int64", str(2**60))
    assert tags["small"] == ("int64", 7)
    assert tags["share"] == ("float64", 0.5)
    assert tags["nan"] == ("float64", "nan")
    assert tags["flag"] == ("bool", False)
    assert tags["bytes"] == ("binary", "AAE=")
    assert tags["list"] == ("string", '[1, "ä"]')
    assert tags["map"] == ("string", '{"a": true}')
    assert tags["nothing"] == ("string", "")
    assert len(tags) == 128 + 2  # and the kind and the scope, which are ours
    json.dumps(spans[0].body, allow_nan=False)


def test_a_span_that_ends_before_it_starts_is_kept_with_a_warning() -> None:
    """A broken clock is shown, not hidden."""
    spans, _ = spans_of(decode_json(as_json(export(mobile=[span(1, 0, "x", 5, -2, "server")]))))

    assert spans[0].duration_us == 0
    assert spans[0].body["warnings"] == ["the span ends before it starts"]


def test_the_message_classes_are_opentelemetrys_own() -> None:
    """xds-protos ships an old copy of the same module and would break the exporter (facts 2)."""
    assert "xds-protos" not in Path("requirements.lock").read_text()
