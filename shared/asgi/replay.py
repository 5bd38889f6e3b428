"""A write's key on its way in, and its answer on its way out: the HTTP side of ``shared/idempotency/``.

The header is that of the IETF draft (draft-ietf-httpapi-idempotency-key-header): 400 without it, 422 for another wish
under the same key, 409 while the first one is executed.
"""

from typing import Annotated, Final

from fastapi import Header
from starlette.responses import Response

from shared.idempotency.once import Answer

ABOUT: Final = "Made up by the client for one wish, the same each time it is sent: a UUID. Kept for 24 hours"
# Visible ASCII, with the draft's quotes or without: it is compared, never read.
Key = Annotated[
    str, Header(alias="Idempotency-Key", min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$", description=ABOUT)
]


def replayed(answer: Answer) -> Response:
    """Answer with what came of a write; one that was executed before says so."""
    headers = {"cache-control": "no-store"}
    if answer.location:
        headers["location"] = answer.location
    if answer.replayed:
        headers["idempotency-replayed"] = "true"
    return Response(answer.body, answer.status, headers, "application/json")
