"""What a browser may keep of the answer to a GET: its own answer, to be asked about again before each use.

Owns validator and directives. An answer is one person's: ``private``, so that no cache between keeps it (case A7).
What is degraded, or has an error, is never kept.
"""

from hashlib import blake2b
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from shared.asgi.context import context_of

DIGEST_BYTES: Final = 16
VARY: Final = "Authorization, Accept"
OK: Final = 200
NOT_MODIFIED: Final = 304


def cacheable(answer: Response, request: Request) -> Response:
    """Give an answer its validator, or be the 304 that it deserves."""
    answer.headers["vary"] = VARY
    ledger = context_of(request.scope).ledger
    if answer.status_code != OK or ledger.errors or ledger.degraded:
        answer.headers["cache-control"] = "no-store"
        return answer
    tag = f'"{_digest(answer)}"'
    headers = {"etag": tag, "cache-control": "private, no-cache", "vary": VARY}
    if tag in _known(request):
        return Response(status_code=NOT_MODIFIED, headers=headers)
    answer.headers.update(headers)
    return answer


def _digest(answer: Response) -> str:
    """Return what tells an answer from every other: the same bytes under another media type are not the same."""
    said = answer.headers["content-type"].encode() + b"\n" + bytes(answer.body)
    return blake2b(said, digest_size=DIGEST_BYTES).hexdigest()


def _known(request: Request) -> set[str]:
    """Return the validators that the client has (RFC 9110 §13.1.2: weak comparison; the edge weakens what it packs)."""
    said = request.headers.get("if-none-match", "")
    return {one.strip().removeprefix("W/") for one in said.split(",")}
