"""POST /v1/traces: OTLP over HTTP, answered as the protocol says, in the sender's own format."""

from typing import Final

from google.protobuf import json_format
from google.protobuf.message import Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dev.traces.body import Unreadable, read_body
from dev.traces.counters import Counters
from dev.traces.otlp import MalformedExport, decode_json, decode_protobuf, spans_of
from dev.traces.store import Store

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"
DECODERS: Final = {PROTOBUF: decode_protobuf, JSON: decode_json}
INVALID_ARGUMENT: Final = 3  # google.rpc.Code


def create_otlp_app(store: Store, counters: Counters) -> Starlette:
    """Return the app that listens where exporters send."""

    async def export(request: Request) -> Response:
        """Keep the spans of one export."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in DECODERS:
            counters.refused += 1
            return _refusal(kind, 415, f"content-type {kind!r:.40} is not supported; send {PROTOBUF} or {JSON}")
        try:
            body = await read_body(request)
            spans, rejected = spans_of(await run_in_threadpool(DECODERS[kind], body))
        except (Unreadable, MalformedExport) as error:
            counters.refused += 1
            return _refusal(kind, getattr(error, "status", 400), str(error))
        dropped = await run_in_threadpool(store.add, spans)
        counters.received += len(spans)
        counters.rejected += rejected
        counters.dropped += dropped
        return _answer(kind, ExportTraceServiceResponse(partial_success=_partial(rejected)))

    return Starlette(routes=[Route("/v1/traces", export, methods=["POST"])])


def _partial(rejected: int) -> ExportTracePartialSuccess | None:
    if not rejected:
        return None
    return ExportTracePartialSuccess(
        rejected_spans=rejected, error_message="trace_id must be 16 bytes, span_id 8, neither all zero"
    )


def _answer(kind: str, message: Message, status: int = 200) -> Response:
    if kind == PROTOBUF:
        return Response(message.SerializeToString(), status, media_type=PROTOBUF)
    return Response(json_format.MessageToJson(message, indent=None), status, media_type=JSON)


def _refusal(kind: str, status: int, detail: str) -> Response:
    """Answer with google.rpc.Status, as OTLP asks for every 4xx."""
    if kind == PROTOBUF:
        # Status is {1: int32 code, 2: string message}: on the wire the same as this message, which is at hand.
        body = ExportTracePartialSuccess(rejected_spans=INVALID_ARGUMENT, error_message=detail)
        return Response(body.SerializeToString(), status, media_type=PROTOBUF)
    return JSONResponse({"code": INVALID_ARGUMENT, "message": detail}, status)
