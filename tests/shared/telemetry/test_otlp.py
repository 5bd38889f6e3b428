"""Our bytes say what opentelemetry's own encoder says, whatever happened in a request."""

from random import Random

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.sdk.resources import Resource

from shared.errors import ProblemCode, Reason
from shared.protobuf import key_value
from shared.telemetry.afterwards import to_spans
from shared.telemetry.ledger import Ledger, SpanPlace, TraceOrigin
from shared.telemetry.otlp import MOST_REMEMBERED, Encoder

RESOURCE = Resource({"service.name": "möbile", "service.version": "1.2.3", "host.cpus": 2})

ODDS = range(400)


class Odds(Random):
    """Made-up values; few of each kind, so that what is remembered is used: by another span, or wrongly."""

    def word(self) -> str:
        return self.choice(["", "a", "orders", "überall 🌻", "x" * 200])

    def span_id(self) -> int:
        return self.getrandbits(64) or 1

    def origin(self) -> TraceOrigin:
        parent = self.choice([None, f"{self.span_id():016x}"])
        state = self.choice(["", "vendor=1", "t/x@v= a b , b=2"])
        return TraceOrigin(f"{self.getrandbits(128) or 1:032x}", parent, self.choice([True, False]), state)

    def moment(self) -> float:
        return 100.0 + self.random() * 10

    def status(self) -> int:
        return self.choice([0, 200, 404, 499, 500, 504])

    def reason(self) -> Reason | None:
        return self.choice([None, *Reason])


def made_up(odds: Odds) -> Ledger:
    """Return a request with everything that may be in one, likely or not."""
    ledger = Ledger(odds.origin(), odds.choice(["GET", "POST", "OTHER"]), 100.0)
    ledger.ended_s, ledger.route, ledger.status = odds.moment(), odds.word(), odds.status()
    ledger.deadline_ms, ledger.degraded = odds.choice([0, 1, 900, 2**40]), odds.word()
    ledger.kept, ledger.exception = odds.choice(["", "slow"]), odds.choice(["", "", "ZeroDivisionError"])
    ledger.errors = tuple(odds.sample(list(ProblemCode), odds.randrange(3)))
    for _ in range(odds.randrange(4)):
        section = ledger.section(odds.word(), odds.moment())
        section.outcome, section.ended_s = odds.choice(["fresh", "failed", "none"]), odds.choice([0.0, odds.moment()])
        section.reason, section.detail, section.served = odds.reason(), odds.word(), odds.word()
        section.needs = ledger.sections[: odds.randrange(2)]
        for _ in range(odds.randrange(4)):
            joined = odds.choice([None, SpanPlace(odds.origin(), odds.span_id())])
            one = section.attempt(odds.word(), "GET", odds.moment(), joined)
            one.status, one.error, one.detail = odds.status(), odds.reason(), odds.word()
            one.cancelled, one.hedge = odds.choice([True, False]), odds.choice([True, False])
            one.ended_s = odds.moment()
    return ledger


def test_every_message_is_the_one_that_opentelemetry_makes() -> None:
    """Field by field, for hundreds of odd requests, with one encoder that remembers across all of them."""
    encoder = Encoder(RESOURCE)
    for seed in ODDS:
        odds = Odds(seed)
        batch = [made_up(odds) for _ in range(odds.randrange(1, 4))]
        theirs = encode_spans([span for ledger in batch for span in to_spans(ledger, RESOURCE)])

        assert ExportTraceServiceRequest.FromString(encoder.request(batch)) == theirs, seed


def test_what_is_remembered_is_bounded() -> None:
    """Clients choose their deadlines; they must not choose our memory."""
    encoder = Encoder(RESOURCE)
    for number in range(MOST_REMEMBERED + 10):
        ledger = Ledger(TraceOrigin("ab" * 16, None, sampled=True, tracestate=""), "GET", 1.0)
        ledger.deadline_ms = number
        encoder.request([ledger])

    assert len(encoder._remembered) == 10


@pytest.mark.parametrize("value", [0, 1, 127, 128, 2**32, 2**63 - 1, -1, -(2**63), True, False, "", "é" * 200])
def test_an_attribute_is_read_back(value: str | bool | int) -> None:
    """Numbers of every length, negative ones too."""
    kind = {bool: "bool_value", int: "int_value", str: "string_value"}[type(value)]

    assert KeyValue.FromString(key_value("k", value)) == KeyValue(key="k", value=AnyValue(**{kind: value}))
