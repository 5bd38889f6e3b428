"""The issuer's published keys, kept at hand.

Owns when they are fetched: seldom, one fetch at a time, never for a caller's whim more than once in ten seconds, and
so that a slow or absent issuer costs nothing while known keys are young enough (field case A1). ``now`` is in
seconds; only differences count.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import httpx

from shared.errors import ProblemCode, ProblemError
from shared.identity.keys import VerificationKey, read_keys
from shared.telemetry.logs import get_logger

log = get_logger(__name__)


class KeySource(Protocol):
    """Where a verifier finds the issuer's keys."""

    async def find(self, kid: str, *, other_than: VerificationKey | None = None) -> VerificationKey | None:
        """Return the key of that id, or None. ``other_than`` is one that was found before and did not fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JwksPolicy:
    """How long keys count, and how often the issuer may be asked."""

    # An issuer that withdraws a key is obeyed within this while it answers.
    max_age: timedelta = timedelta(minutes=5)
    # Fetched this long before, beside the traffic, so that no request waits for a fetch.
    refresh_ahead: timedelta = timedelta(minutes=1)
    # An issuer may be away this long before good tokens are refused.
    hard_max_age: timedelta = timedelta(hours=1)
    # Tokens with made-up key ids cost the issuer one fetch in this time, however many they are.
    unknown_kid_every: timedelta = timedelta(seconds=10)
    # After a failed fetch; with nothing known every request fails until the next, so that one comes sooner.
    retry_every: timedelta = timedelta(seconds=10)
    retry_every_empty: timedelta = timedelta(seconds=1)
    # Within the deadline of a request that has to wait for it (3 s).
    fetch_timeout: timedelta = timedelta(seconds=2)
    # A real set has a few KB; more is somebody else's document.
    max_bytes: int = 256 * 1024


class JwksCache:
    """Keys of one issuer, fetched from its JWKS URL."""

    def __init__(
        self, url: str, client: httpx.AsyncClient, *, now: Callable[[], float], policy: JwksPolicy | None = None
    ) -> None:
        self._url = url
        self._client = client
        self._now = now
        self._policy = policy or JwksPolicy()
        self._keys: dict[str, VerificationKey] = {}
        self._document = b""
        self._fetched_at = self._tried_at = self._unknown_at = -math.inf
        self._failing = False
        self._fetch: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether any key is known: something for a readiness check."""
        return bool(self._keys)

    async def find(self, kid: str, *, other_than: VerificationKey | None = None) -> VerificationKey | None:
        """Return the key of that id, or None; raises 503 ``backend_unreachable`` when no key at all is to be had."""
        await self.refresh()
        if not self._keys:
            retry_after = self._policy.retry_every_empty
            raise ProblemError(
                ProblemCode.BACKEND_UNREACHABLE, "Sign-in is not available now.", retry_after=retry_after
            )
        key = self._keys.get(kid)
        if (key is None or key is other_than) and self._may_look_again():
            await asyncio.shield(self._fetching())
            key = self._keys.get(kid)
        return None if key is other_than else key

    async def refresh(self) -> None:
        """Fetch if it is time. Waits for that only while no fresh key is known; never raises."""
        age_s = self._now() - self._fetched_at
        max_age_s = self._policy.max_age.total_seconds()
        if age_s >= self._policy.hard_max_age.total_seconds():
            self._keys, self._document = {}, b""
        if age_s < max_age_s - self._policy.refresh_ahead.total_seconds() or not self._may_try():
            return
        fetching = self._fetching()
        if not self._keys or (age_s >= max_age_s and not self._failing):
            await asyncio.shield(fetching)

    async def close(self) -> None:
        """Give up a fetch that is under way."""
        if self._fetch is not None:
            self._fetch.cancel()
            await asyncio.wait([self._fetch])

    def _may_try(self) -> bool:
        if self._fetch is not None or not self._failing:
            return True
        wait = self._policy.retry_every if self._keys else self._policy.retry_every_empty
        return self._now() - self._tried_at >= wait.total_seconds()

    def _may_look_again(self) -> bool:
        if self._fetch is not None:
            return True
        if self._now() - self._unknown_at < self._policy.unknown_kid_every.total_seconds():
            return False
        self._unknown_at = self._now()
        return True

    def _fetching(self) -> asyncio.Task[None]:
        """Return the one fetch under way. A task of its own: the request that began it may be cancelled."""
        if self._fetch is None:
            self._tried_at = self._now()
            self._fetch = asyncio.get_running_loop().create_task(self._load())
        return self._fetch

    async def _load(self) -> None:
        try:
            async with asyncio.timeout(self._policy.fetch_timeout.total_seconds()):
                document = await self._download()
            if document != self._document:  # the same keys stay the same objects
                self._keys, self._document = read_keys(document), document
            self._fetched_at, self._failing = self._now(), False
        except (httpx.HTTPError, TimeoutError, ValueError, RuntimeError) as error:  # RuntimeError: a closed client
            self._failing = True
            log.warning("jwks_fetch_failed", cause=type(error).__name__, keys_known=len(self._keys))
        finally:
            self._fetch = None

    async def _download(self) -> bytes:
        async with self._client.stream("GET", self._url, follow_redirects=False) as response:
            if response.status_code != httpx.codes.OK:
                raise ValueError(f"status {response.status_code}")
            document = b""
            async for chunk in response.aiter_bytes():
                document += chunk
                if len(document) > self._policy.max_bytes:
                    raise ValueError("too large")
        return document
