"""GraphQL over HTTP: how an operation is asked for, and how its result is answered.

Owns both. In which media types is ``media.py``'s; what is executed, ``schema.py``; what an error says, ``errors.py``.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from graphql import ExecutionResult, GraphQLError
from starlette.requests import Request

from bffs.web.errors import error_body, note_errors
from bffs.web.media import UNSAID, Form, check_content_type
from shared.asgi.context import RequestContext
from shared.asgi.written import Written
from shared.errors import ProblemCode, ProblemError

# A query of the demo has 300 bytes, the largest real ones some 20 KB; the edge stops more before us.
MAX_BODY_BYTES: Final = 256 * 1024
# What an operation has; in a query string, some of it as JSON. Other parameters are nobody's.
JSON_PARTS: Final = frozenset({"variables", "extensions"})
PARTS: Final = JSON_PARTS | {"query", "documentId", "operationName"}


class Operation(NamedTuple):
    """What a client wants executed: a text, the id of a trusted one, or both."""

    query: str | None
    document_id: str | None
    variables: dict[str, Any]
    name: str | None


def read_operation(raw: bytes, media_type: str | None) -> Operation:
    """Read a POST's body. Raises a problem that says what is wrong with it; never echoes it."""
    check_content_type(media_type)
    try:
        return parse_operation(_decoded(raw))
    except (ValueError, RecursionError):  # not JSON, or brackets by the thousand
        raise ProblemError(ProblemCode.INVALID_REQUEST, "The body is not JSON.") from None


def _decoded(raw: bytes) -> object:
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:  # it is strict: half a surrogate pair, another encoding; json's verdict counts
        return json.loads(raw)


def read_query(request: Request) -> Operation | None:
    """Read an operation out of a GET's query string; None when there is none. Raises a problem."""
    asked = {name: value for name, value in request.query_params.items() if name in PARTS}
    if not asked:
        return None
    try:
        parsed = {name: json.loads(value) if name in JSON_PARTS else value for name, value in asked.items()}
    except (ValueError, RecursionError):
        raise ProblemError(ProblemCode.INVALID_REQUEST, "`variables` and `extensions` are JSON.") from None
    return parse_operation(parsed)


def parse_operation(body: object) -> Operation:
    """Check the parts. One object only: a list of operations would pass every limit as one call (field case W4)."""
    if not isinstance(body, dict):
        raise ProblemError(ProblemCode.INVALID_REQUEST, "Send one object: one operation a request.")
    query, document_id = body.get("query"), _document_id(body)
    if not isinstance(query, str | None) or not (query or document_id):
        raise ProblemError(ProblemCode.INVALID_REQUEST, "Send `query` as text, or the `documentId` of a trusted one.")
    variables, name = body.get("variables"), body.get("operationName")
    if not isinstance(variables, dict | None):
        raise ProblemError(ProblemCode.INVALID_REQUEST, "`variables` must be an object.")
    if not isinstance(name, str | None):
        raise ProblemError(ProblemCode.INVALID_REQUEST, "`operationName` must be text.")
    return Operation(query or None, document_id, variables or {}, name)


def _document_id(body: dict[str, Any]) -> str | None:
    """Return the id, in either form: ``documentId``, or Apollo's ``extensions.persistedQuery.sha256Hash``."""
    extensions = body.get("extensions")
    if not isinstance(extensions, dict | None):
        raise ProblemError(ProblemCode.INVALID_REQUEST, "`extensions` must be an object.")
    persisted = (extensions or {}).get("persistedQuery")
    if not isinstance(persisted, dict | None):
        raise ProblemError(ProblemCode.INVALID_REQUEST, "`extensions.persistedQuery` must be an object.")
    said = body.get("documentId", (persisted or {}).get("sha256Hash"))
    if not isinstance(said, str | None):
        raise ProblemError(ProblemCode.INVALID_REQUEST, "The id of a document is text.")
    return said or None


def refused(errors: Sequence[GraphQLError], context: RequestContext, form: Form = UNSAID) -> Written:
    """Say what is wrong with a document of which nothing was executed."""
    return answer(ExecutionResult(None, list(errors)), context, form)


def answer(
    result: ExecutionResult, context: RequestContext, form: Form = UNSAID, told: Mapping[str, Any] | None = None
) -> Written:
    """Say the result. When execution never began (GraphQL §7.1.2), there is no data, and the form has the status.

    ``told`` is what ``extensions`` has for an operation that was executed.
    """
    errors = result.errors or ()
    if errors:
        note_errors(errors, context.ledger)
    began = result.data is not None or any(error.path for error in errors)
    body: dict[str, Any] = {"errors": [error_body(error, context) for error in errors]} if errors else {}
    if began:
        body["data"] = result.data
        if told:
            body["extensions"] = told
    return Written(_encoded(body), 200 if began else form.refusal, form.media_type)


def _encoded(body: Mapping[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:  # half a surrogate pair, sent by a client and quoted in a message, is no UTF-8
        return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
