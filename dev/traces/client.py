"""Fetches traces over Jaeger's query API: from this viewer, or from Jaeger itself.

A viewer that cannot be reached is the caller's to explain: httpx's ``TransportError`` passes through.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import httpx

from dev.traces.rows import Role
from dev.traces.tree import Json
from dev.traces.waterfall import Waterfall, waterfall

TIMEOUT_S: Final = 5.0
# Deep enough that calls made straight to a backend do not hide the last request of a BFF.
LOOK_AT: Final = 20
BFFS: Final = Path(__file__).parents[2] / "bffs"


def entries() -> tuple[str, ...]:
    """Return the services that a request of ours begins at: the edge, and every BFF by its folder."""
    return ("edge", *sorted(folder.name for folder in BFFS.glob("[a-z]*") if folder.is_dir()))


def last(base_url: str, *, service: str | None = None) -> Json | None:
    """Return the newest trace whose root is a request through the edge or a BFF (or is one of ``service``)."""
    asked = (service,) if service else entries()
    with httpx.Client(base_url=base_url, timeout=TIMEOUT_S, trust_env=False) as http:
        found = [trace for one in asked for trace in _traces(http, one)]
    begun = [(fall.start_us, trace) for trace in found if _begins(fall := waterfall(trace), asked)]
    return max(begun, key=lambda one: one[0])[1] if begun else None


def by_id(base_url: str, trace_id: str) -> Json | None:
    """Return one trace, or None when it is not there."""
    if not re.fullmatch("[0-9a-fA-F]{1,32}", trace_id):
        return None
    with httpx.Client(base_url=base_url, timeout=TIMEOUT_S, trust_env=False) as http:
        response = http.get(f"/api/traces/{trace_id}")
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        data = response.raise_for_status().json()["data"]
    return data[0] if data else None


def _traces(http: httpx.Client, service: str) -> Iterable[Json]:
    response = http.get("/api/traces", params={"service": service, "limit": LOOK_AT})
    traces: list[Json] = response.raise_for_status().json()["data"] or []
    return traces


def _begins(fall: Waterfall, asked: tuple[str, ...]) -> bool:
    first = next(iter(fall.rows), None)
    return first is not None and first.role is Role.SERVER and first.service in asked
