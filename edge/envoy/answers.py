"""What Envoy answers by itself, in the one error format (architecture §5), and what every answer carries.

Owns the table from Envoy's statuses to problem codes; titles and ``retryable`` come from ``shared.errors``. The
last touches that need a decision (a trace id where no span began) are in ``lua.GUARD``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from edge.envoy.words import Json, seconds, set_header, typed
from shared.errors import PROBLEM_KINDS, ProblemCode

MEDIA_TYPE: Final = "application/problem+json"

# Everything in it is ours: no part of a request is shown. Envoy's variables begin with %.
PAGE: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>{title}</title><style>body{{font:16px/1.5 system-ui,sans-serif;margin:15vh auto;max-width:32rem;"
    "padding:0 1rem}}</style><h1>{title}</h1><p>{detail}</p><p><small>{code}</small></p></html>\n"
)

# Tells the guard on the way back that the body is ours; route tables take it off upstreams' answers.
OWN_MARK: Final = "x-frontage-own"

# Envoy comes back to a failed endpoint within its health check's interval.
RETRY_SOON_S: Final = 1

# Hop-by-hop (RFC 9110 §7.6.1), and what tells a stranger about our insides.
RESPONSE_HEADERS_REMOVED: Final = (
    "server", "x-powered-by", "x-envoy-upstream-service-time", "x-envoy-decorator-operation", "x-envoy-overloaded",
    "x-envoy-attempt-count", "x-envoy-ratelimited", "x-envoy-degraded", "x-envoy-immediate-health-check-fail",
    "keep-alive", "proxy-connection", "proxy-authenticate", "trailer", "x-trace-id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OwnAnswer:
    """One kind of answer that Envoy makes: when, under which code, with which words.

    ``status`` stands only where it is not the code's own. ``when`` is a CEL expression beside the status seen.
    """

    seen: int
    code: ProblemCode
    detail: str
    when: str = ""
    status: int | None = None
    retry_after_s: int | None = None
    challenge: str = ""


_NO_TOKEN: Final = "!('authorization' in request.headers)"  # noqa: S105 - a CEL expression
# The words of ours: of the scripts, and of the control service.
_BY_US: Final = "response.code_details == 'lua_response' || response.code_details == 'ext_authz_denied'"
_CONTROL_DOWN: Final = "response.code_details == 'ext_authz_error'"
_JWKS_DOWN: Final = "response.code_details.startsWith('jwt_authn_access_denied{Jwks_remote_fetch')"
_WRONG_NETWORK: Final = "response.code_details.startsWith('rbac_access_denied')"
_CLOSED: Final = "response.code_details == 'direct_response'"
_WRONG_AUDIENCE: Final = "response.code_details.startsWith('jwt_authn_access_denied{')"

# First match wins. Envoy's 403 for a wrong audience becomes the BFF's own answer to it: RFC 6750 invalid_token.
ANSWERS: Final = (
    OwnAnswer(400, ProblemCode.INVALID_REQUEST, "The request is malformed."),
    OwnAnswer(
        401, ProblemCode.BACKEND_UNREACHABLE, "Tokens cannot be verified at the moment.",
        when=_JWKS_DOWN, retry_after_s=RETRY_SOON_S,
    ),
    OwnAnswer(401, ProblemCode.UNAUTHENTICATED, "Send an access token.", when=_NO_TOKEN, challenge="Bearer"),
    OwnAnswer(
        401, ProblemCode.UNAUTHENTICATED, "The access token is not valid.", challenge='Bearer error="invalid_token"',
    ),
    OwnAnswer(
        403, ProblemCode.UNAUTHENTICATED, "The access token is not valid.",
        when=_WRONG_AUDIENCE, challenge='Bearer error="invalid_token"',
    ),
    OwnAnswer(403, ProblemCode.FORBIDDEN, "Not from your network.", when=_WRONG_NETWORK),
    OwnAnswer(
        403, ProblemCode.FORBIDDEN, "This is not allowed.", challenge='Bearer error="insufficient_scope"',
    ),
    OwnAnswer(404, ProblemCode.NOT_FOUND, "There is nothing at this address."),
    OwnAnswer(405, ProblemCode.METHOD_NOT_ALLOWED, "This address does not know the method."),
    OwnAnswer(408, ProblemCode.INVALID_REQUEST, "The request did not arrive in time.", status=408),
    OwnAnswer(500, ProblemCode.INTERNAL, "The route %ROUTE_NAME% is broken.", when=_CLOSED),
    OwnAnswer(413, ProblemCode.PAYLOAD_TOO_LARGE, "The request body is too large."),
    OwnAnswer(426, ProblemCode.UPGRADE_REQUIRED, "Use HTTP/1.1 or HTTP/2."),
    OwnAnswer(429, ProblemCode.RATE_LIMITED, "Too many requests. Wait before the next one."),
    OwnAnswer(431, ProblemCode.INVALID_REQUEST, "The request headers are too many or too large.", status=431),
    OwnAnswer(501, ProblemCode.INVALID_REQUEST, "The transfer coding is not known."),
    OwnAnswer(503, ProblemCode.BACKEND_UNREACHABLE, "This part is closed for the moment.", when=_CLOSED),
    OwnAnswer(
        503, ProblemCode.BACKEND_UNREACHABLE, "Credentials cannot be verified at the moment.",
        when=_CONTROL_DOWN, retry_after_s=RETRY_SOON_S,
    ),
    OwnAnswer(
        503, ProblemCode.OVERLOADED, "Too many requests are under way.",
        when="response.code_details.contains('overflow') || response.code_details.contains('overload')",
        retry_after_s=RETRY_SOON_S,
    ),
    OwnAnswer(
        503, ProblemCode.BACKEND_UNREACHABLE, "The service cannot be reached.", retry_after_s=RETRY_SOON_S,
    ),
    OwnAnswer(502, ProblemCode.BACKEND_INVALID, "The service gave an unreadable answer."),
    OwnAnswer(504, ProblemCode.DEADLINE_EXCEEDED, "The deadline of the request passed."),
)  # fmt: skip


# Said by ``limits.UNJUDGED_SOURCE``, for a limit that lets nobody pass uncounted. Nothing of the store's own words.
UNCOUNTED: Final = OwnAnswer(
    503, ProblemCode.LIMITER_UNAVAILABLE, "Requests cannot be counted at the moment.",
    when=f"response.headers['{OWN_MARK}'] == 'limiter'", retry_after_s=RETRY_SOON_S,
)  # fmt: skip


def local_replies() -> Json:
    """Return the mappers of every answer that Envoy makes."""
    return {"mappers": list(_mappers())}


def _mappers() -> Iterator[Json]:
    yield from _both(UNCOUNTED, [_status("EQ", UNCOUNTED.seen), _cel(UNCOUNTED.when)])
    for answer in ANSWERS:
        if (
            not answer.when
        ):  # our own Lua, or the control service, gives its reason as the body; everybody else's text is Envoy's
            yield from _both(answer, [_status("EQ", answer.seen), _cel(_BY_US)], own=True)
    for answer in ANSWERS:
        conditions = [_cel(answer.when)] if answer.when else []
        yield from _both(answer, [_status("EQ", answer.seen), *conditions])
    yield from _both(OwnAnswer(500, ProblemCode.INTERNAL, "Something went wrong here."), [_status("GE", 500)])
    yield from _both(OwnAnswer(400, ProblemCode.INVALID_REQUEST, "The request was refused."), [_status("GE", 400)])


def _both(answer: OwnAnswer, conditions: list[Json], *, own: bool = False) -> Iterator[Json]:
    """Yield the page for a browser that goes somewhere (Fetch Metadata: a person reads it), then the problem."""
    page = _mapper(answer, [*conditions, _navigation()], own=own)
    detail = "%LOCAL_REPLY_BODY%" if own else answer.detail
    text = PAGE.format(title=PROBLEM_KINDS[answer.code].title, detail=detail, code=answer.code)
    page["body_format_override"] = {
        "text_format_source": {"inline_string": text}, "content_type": "text/html; charset=utf-8",
    }  # fmt: skip
    yield page
    yield _mapper(answer, conditions, own=own)


def _mapper(answer: OwnAnswer, conditions: list[Json], *, own: bool = False) -> Json:
    kind = PROBLEM_KINDS[answer.code]
    status = answer.status or kind.status
    body: Json = {
        "type": f"urn:frontage:problem:{answer.code}",
        "title": kind.title,
        "status": status,
        "code": str(answer.code),
        "detail": "%LOCAL_REPLY_BODY%" if own else answer.detail,
        "instance": "%PATH(NQ:ORIG_OR_PATH)%",  # a token in the query must not be echoed
        "traceId": "%TRACE_ID%",
        "retryable": kind.retryable,
    }
    headers = [set_header("cache-control", "no-store"), set_header(OWN_MARK, "1")]
    if answer.challenge:
        headers.append(set_header("www-authenticate", answer.challenge, keep=True))
    if answer.retry_after_s is not None:
        headers.append(set_header("retry-after", str(answer.retry_after_s)))
    if answer.code is ProblemCode.RATE_LIMITED or answer.when is _CLOSED:  # the limit filter, or the route, knows
        body["retryAfterSeconds"] = "%RESPONSE_HEADER(RETRY-AFTER)%"
    elif answer.retry_after_s is not None:
        body["retryAfterSeconds"] = answer.retry_after_s
    return {
        "filter": {"and_filter": {"filters": conditions}} if len(conditions) > 1 else conditions[0],
        "status_code": status,
        "body_format_override": {"json_format": body, "content_type": MEDIA_TYPE},
        "headers_to_add": headers,
    }


def _navigation() -> Json:
    match = {"name": "sec-fetch-mode", "string_match": {"exact": "navigate"}}
    return {"header_filter": {"header": match}}


def _status(operator: str, status: int) -> Json:
    value = {"default_value": status, "runtime_key": "frontage.unused"}
    return {"status_code_filter": {"comparison": {"op": operator, "value": value}}}


def _cel(expression: str) -> Json:
    name = "envoy.access_loggers.extension_filters.cel"
    config = typed("envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter", expression=expression)
    return {"extension_filter": {"name": name, "typed_config": config}}


def every_answer(hsts: timedelta | None) -> list[Json]:
    """Return the mutations of every answer, upstream's and Envoy's own: security headers, the trace id, no insides."""
    removed = [{"remove": name} for name in RESPONSE_HEADERS_REMOVED]
    headers = [
        set_header("x-content-type-options", "nosniff"),
        set_header("x-frame-options", "DENY"),
        set_header("referrer-policy", "no-referrer"),
        set_header("cross-origin-opener-policy", "same-origin"),
        set_header("permissions-policy", "camera=(), geolocation=(), microphone=()"),
        # A page may bring a stricter policy of its own (GraphiQL does not need one).
        set_header("content-security-policy", "frame-ancestors 'none'", keep=True),
        set_header("x-trace-id", "%TRACE_ID%"),
    ]
    if hsts:
        headers.append(set_header("strict-transport-security", f"max-age={seconds(hsts).rstrip('s')}"))
    return [*removed, *({"append": header} for header in headers)]
