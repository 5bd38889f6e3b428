"""What surrounds every screen of a BFF: its answer has a tag, and who has the answer already gets 304 (RFC 9110 §13).

router = APIRouter(prefix="/mobile/v1", route_class=ScreenRoute)

Owns the order of things on the way out of a handler, said once for both ways in which it is dispatched (``lean.py``,
FastAPI's own), and their part of the contract. Tags are made of the answer, not of its bytes' time: from
``aggregatedAt`` on, which only ``degraded`` follows, nothing counts; and an answer with gaps has no tag at all.
"""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from shared.asgi import parts
from shared.asgi.app_policy import VERSION
from shared.asgi.context import RequestContext, context_of
from shared.asgi.parts import Parts
from shared.asgi.server_timing import ASKED, timing_of
from shared.asgi.validators import ANY, digest_of, listed, names
from shared.errors import ProblemCode, ProblemError
from shared.shape import Shape

Headers = list[tuple[bytes, bytes]]
JSON: Final = (b"content-type", b"application/json")
PART: Final = (b"content-type", parts.MEDIA_TYPE.encode())
# Kept by the phone, asked for each time, and by nobody between (field case A7).
MINE: Final = (b"cache-control", b"private, no-cache")
# Quotes inside a JSON text are escaped: this can only be a member.
MOMENT: Final = b',"aggregatedAt":'

PARTS: Final = "frontage_parts"
CONDITION: Final = b"if-none-match"
OK: Final = 200
NOT_MODIFIED: Final = 304

Handler = Callable[..., Any]


def in_parts(of: Parts) -> Callable[[Handler], Handler]:
    """Declare that a screen can be asked for by sections."""

    def declare(handler: Handler) -> Handler:
        setattr(handler, PARTS, of)
        return handler

    return declare


class ScreenRoute(APIRoute):
    """A route whose answers are screens: shapes, of which a GET can be asked conditionally and in part."""

    def __init__(self, path: str, endpoint: Handler, **options: Any) -> None:
        self.parts: Parts | None = getattr(endpoint, PARTS, None)
        if options.get("methods") in (None, {"GET"}, ["GET"]):
            answer = options.get("response_model") or endpoint.__annotations__.get("return")
            if self.parts is None and isinstance(answer, type) and issubclass(answer, Shape):
                self.parts = Parts(answer)
            if self.parts is not None:
                _declare(options, self.parts)
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's own way, with what surrounds it."""
        handle = super().get_route_handler()

        async def surrounded(request: Request) -> Response:
            context = context_of(request.scope)
            self.admit(context)
            self._require_type(context)
            response = await handle(request)
            if response.status_code == OK and request.method == "GET" and self.parts is not None:
                status, headers, body = self.finish(context, bytes(response.body))
                response = Response(body, status)
                response.raw_headers = headers
                return response
            if context.version is not None:
                response.headers["etag"] = _tag(bytes(response.body), context.version)
            response.raw_headers += told(context)
            return response

        return surrounded

    def admit(self, context: RequestContext) -> None:
        """Refuse what cannot be answered before anything is asked. Raises ProblemError."""
        if VERSION in context.fields:
            context.state.app_policy.judge(context)
        if context.query and self.parts is not None:
            self.parts.wanted(context.query)

    def _require_type(self, context: RequestContext) -> None:
        """Refuse a body of another type than the one declared: it would be read as something that it is not."""
        if self.body_field is not None:
            declared = getattr(self.body_field.field_info, "media_type", "application/json")
            said = (context.header(b"content-type") or "").partition(";")[0].strip().lower()
            if said != declared:
                raise ProblemError(ProblemCode.UNSUPPORTED_MEDIA_TYPE, f"Send {declared}.")

    def finish(self, context: RequestContext, body: bytes) -> tuple[int, Headers, bytes]:
        """Return status, headers and body for a screen's whole answer."""
        fields = context.fields
        if (
            context.query or context.told or context.version or context.ledger.degraded
            or CONDITION in fields or parts.HEADER in fields or ASKED in fields
        ):  # fmt: skip
            return self._finish_asked(context, body)
        # Most requests ask for nothing of all this.
        return OK, [(b"content-length", b"%d" % len(body)), JSON, MINE, (b"etag", _tag(body, None).encode())], body

    def _finish_asked(self, context: RequestContext, body: bytes) -> tuple[int, Headers, bytes]:
        gaps, media, tagged = context.ledger.degraded, JSON, True
        if self.parts is not None and (context.query or parts.HEADER in context.fields):
            held = context.header(parts.HEADER)
            if held is not None or self.parts.wanted(context.query) != parts.ALL:
                body, media = self.parts.cut(body, context.query, held, _named(gaps)), PART
                tagged = held is None  # what also depends on what the client has answers no other request
        headers: Headers = [(b"content-length", b"%d" % len(body)), media, MINE, *told(context)]
        if gaps or not tagged:
            return OK, headers, body
        tag = _tag(body, context.version)
        header = (b"etag", tag.encode("latin-1"))
        if names(context.header(CONDITION) or "", tag):
            return NOT_MODIFIED, [MINE, header, *told(context)], b""
        return OK, [*headers, header], body


def told(context: RequestContext) -> Headers | tuple[tuple[bytes, bytes], ...]:
    """Return what an answer tells beside itself: of the app's version, and of time."""
    if ASKED in context.fields:
        return [*context.told, *timing_of(context)]
    return context.told


def versions_in(condition: str) -> str:
    """Return If-Match as the backend that owns the thing is to hear it: the versions in our tags.

    Raises ProblemError: PRECONDITION_REQUIRED without a condition, PRECONDITION_FAILED for no tag of ours.
    """
    if not condition:
        raise ProblemError(ProblemCode.PRECONDITION_REQUIRED, "Send If-Match with the ETag of what you change.")
    if condition.strip() == ANY:
        return ANY
    versions = [tag.rpartition("-")[0] for tag in listed(condition)]
    if not any(versions):
        raise ProblemError(ProblemCode.PRECONDITION_FAILED)
    return ", ".join(f'"{version}"' for version in versions if version)


def _tag(body: bytes, version: str | None) -> str:
    """Return the tag of an answer; one of a single thing begins with the version of that."""
    digest = digest_of(body[: body.rfind(MOMENT)])  # of an answer without a moment only the closing brace is left out
    return f'"{digest}"' if version is None else f'"{version}-{digest}"'


def _named(gaps: str) -> list[str]:
    """Return the sections of ``section:reason:source,…``."""
    return [gap.partition(":")[0] for gap in gaps.split(",")] if gaps else []


def _declare(options: dict[str, Any], of: Parts) -> None:
    """Put the parameters and 304 into the contract; the part itself comes with ``part_contract.py``."""
    responses = dict(options.get("responses") or {})
    responses[NOT_MODIFIED] = {"description": "The client has this answer, by its If-None-Match"}
    options["responses"] = responses
    parameters = [
        _parameter("query", "fields", "Members to answer, with commas between them: `displayName,alerts.message`"),
        _parameter("header", "If-None-Match", "The `ETag` of the answer that the client has: 304 if it still holds"),
    ]
    if of.members:
        sections = ", ".join(f"`{name}`" for name in of.members)
        held = 'Tags of the sections that the client has: `alerts="5f1c"`; what has not changed is left out'
        parameters += [
            _parameter("query", "sections", f"Sections to answer, with commas between them: {sections}"),
            _parameter("header", "If-Section-Match", held),
        ]
    extra = dict(options.get("openapi_extra") or {})
    options["openapi_extra"] = {**extra, "parameters": [*extra.get("parameters", ()), *parameters]}


def _parameter(place: str, name: str, description: str) -> dict[str, Any]:
    return {"in": place, "name": name, "required": False, "schema": {"type": "string"}, "description": description}
