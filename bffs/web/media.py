"""Media types: what a POST's body may be, and in which of the two forms of GraphQL over HTTP its sender reads answers.

Owns the reading of ``Content-Type`` and ``Accept``. Both are judged once for each value that clients send: a client's
is the same in all of its requests.
"""

import re
from collections.abc import Mapping
from enum import IntEnum
from functools import lru_cache
from typing import Final, NamedTuple

from shared.errors import ProblemCode, ProblemError

JSON: Final = "application/json"
GRAPHQL: Final = "application/graphql-response+json"
UTF_8: Final = frozenset({"utf-8", "utf8"})
# RFC 9110 §12.4.2.
WEIGHT: Final = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")
# Clients send few different values, of at most some 150 characters; longer ones are judged anew each time.
REMEMBERED: Final = 256
LONGEST_REMEMBERED: Final = 256


class Form(NamedTuple):
    """How an answer is said. ``refusal`` is the status of one of which nothing was executed."""

    media_type: bytes
    refusal: int


# Who reads this type knows that a GraphQL server wrote the answer, so that the status may say what it is.
MODERN: Final = Form(GRAPHQL.encode(), 400)
# Who names the older type looks for `errors` in a 200 only: another status may come from something in between.
LEGACY: Final = Form(JSON.encode(), 200)
# Who names neither gets the older type, with the status that says what it is.
UNSAID: Final = Form(JSON.encode(), 400)


class Naming(IntEnum):
    """How precisely an ``Accept`` names a type; the most precise counts (RFC 9110 §12.5.1)."""

    ANYTHING = 0
    KIND = 1
    ITSELF = 2


class Liking(NamedTuple):
    """How much a client wants a type: 0 is not at all."""

    weight: float
    naming: Naming


def check_content_type(said: str | None) -> None:
    """Raise a problem unless a body is JSON in UTF-8: no page of another origin can send that unasked (case W7)."""
    judged = _is_json if said is None or len(said) <= LONGEST_REMEMBERED else _is_json.__wrapped__
    if not judged(said or ""):
        raise ProblemError(ProblemCode.UNSUPPORTED_MEDIA_TYPE, f"Send {JSON}, in UTF-8.")


def form_for(accept: str | None) -> Form:
    """Return the form that a client likes best. Raises a problem when it takes neither (406)."""
    judged = _chosen if accept is None or len(accept) <= LONGEST_REMEMBERED else _chosen.__wrapped__
    form = judged(accept or "")
    if form is None:
        raise ProblemError(ProblemCode.NOT_ACCEPTABLE, f"Accept {GRAPHQL}, or {JSON}.")
    return form


@lru_cache(REMEMBERED)
def _is_json(content_type: str) -> bool:
    name, parameters = _parted(content_type)
    return name == JSON and parameters.get("charset", "utf-8") in UTF_8


@lru_cache(REMEMBERED)
def _chosen(accept: str) -> Form | None:
    if not accept.strip(" \t,"):
        return UNSAID
    weights = _weights(accept)
    modern, older = _liking(GRAPHQL, weights), _liking(JSON, weights)
    if not (modern.weight or older.weight):
        return None
    # Liked alike: the one that is named more precisely; of two that are named, the one that says more.
    if modern > older or (modern == older and modern.naming is Naming.ITSELF):
        return MODERN
    return LEGACY if older.naming is Naming.ITSELF else UNSAID


def _liking(media_type: str, weights: Mapping[str, float]) -> Liking:
    for naming, name in (
        (Naming.ITSELF, media_type), (Naming.KIND, "application/*"), (Naming.ANYTHING, "*/*"),
    ):  # fmt: skip
        if name in weights:
            return Liking(weights[name], naming)
    return Liking(0, Naming.ANYTHING)


def _weights(accept: str) -> dict[str, float]:
    """Return the ranges of an ``Accept`` that we could answer in. What is not well formed says nothing."""
    weights: dict[str, float] = {}
    for one in accept.split(","):
        name, parameters = _parted(one)
        weight = parameters.get("q", "1")
        if WEIGHT.fullmatch(weight) and parameters.get("charset", "utf-8") in UTF_8:
            weights[name] = max(float(weight), weights.get(name, 0))
    return weights


def _parted(media_type: str) -> tuple[str, dict[str, str]]:
    """Return a media type's name and its parameters; none of them tells capitals from small letters here."""
    name, *parameters = [one.strip() for one in media_type.lower().split(";")]
    pairs = (one.partition("=") for one in parameters)
    return name, {key.strip(): value.strip(' \t"') for key, _, value in pairs}
