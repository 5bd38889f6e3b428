"""Opaque tokens: the issuer is asked what they are worth (RFC 7662), and believed for a short while.

Owns what an answer must say to count, and how seldom the issuer is asked: one question a token at a time, a bounded
number at once, an answer kept for at most ``remember`` (the stated window of a revocation) and never beyond the
token's end. A token is sent in a form to the issuer alone; the memory knows only its digest.
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import httpx

from shared.errors import ProblemCode, ProblemError
from shared.identity.claims import check_audience, check_times, name_of, scopes_of
from shared.identity.compact import JsonObject, TokenRefused, read_object
from shared.identity.credential import CredentialKind, bad_credential
from shared.identity.principal import Principal
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

MAX_BYTES: Final = 64 * 1024
# What an answer may call an access token, where it says at all (RFC 6749 §7.1; Keycloak's "typ", Hydra's "token_use").
ACCESS_TOKEN: Final = {
    "token_type": frozenset({"bearer", "access_token"}),
    "typ": frozenset({"bearer", "at+jwt"}),
    "token_use": frozenset({"access_token"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IntrospectionPolicy:
    """Whom to ask, as whom, and what must come back. ``issuer``: compared where an answer names one."""

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    audience: str
    issuer: str | None = None
    # How long a token that was active is believed to be. Zero: asked for each request.
    remember: timedelta = timedelta(seconds=30)
    # How long one that was not, is not asked about again: a client in a loop costs the issuer nothing.
    remember_inactive: timedelta = timedelta(seconds=5)
    # So many tokens are remembered, of each kind: random ones cannot fill the memory (5 MB).
    max_remembered: int = 10_000
    # Beyond it an issuer only becomes slower: 503 at once.
    most_at_once: int = 64
    # Within what the edge waits for the control service.
    timeout: timedelta = timedelta(milliseconds=1_500)
    # After so many failures in a row nobody waits for the issuer; one question a second finds out if it is back.
    failures: int = 5
    probe_every: timedelta = timedelta(seconds=1)
    leeway: timedelta = timedelta(seconds=30)


class Introspector:
    """Asks one issuer. ``now`` gives seconds since the Unix epoch, ``monotonic`` seconds of which differences count."""

    def __init__(
        self, policy: IntrospectionPolicy, client: httpx.AsyncClient, *, now: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:  # fmt: skip
        self._policy = policy
        self._client = client
        self._now = now
        self._monotonic = monotonic
        self._active: dict[bytes, tuple[float, Principal, JsonObject]] = {}
        self._inactive: dict[bytes, float] = {}
        self._asking: dict[bytes, asyncio.Task[tuple[Principal, JsonObject]]] = {}
        self._failed = 0
        self._probed_at = 0.0

    def cached(self, token: str) -> tuple[Principal, JsonObject] | None:
        """Return principal and answer for a token that was active a moment ago, or None."""
        found = self._active.get(_digest(token))
        if found is None or self._monotonic() >= found[0]:
            return None
        if self._now() >= found[1].expires_at + self._policy.leeway.total_seconds():  # a step of the clock
            return None
        return found[1], found[2]

    async def verify(self, token: str) -> tuple[Principal, JsonObject]:
        """Return whom a token speaks for, and the issuer's whole answer.

        Raises 401 for one that does not count, 503 when the issuer cannot be asked or answers nonsense.
        """
        if (known := self.cached(token)) is not None:
            return known
        digest = _digest(token)
        if self._monotonic() < self._inactive.get(digest, 0.0):
            raise bad_credential(CredentialKind.OPAQUE)
        asking = self._asking.get(digest)
        if asking is None:
            self._admit()
            asking = asyncio.get_running_loop().create_task(self._ask(token, digest))
            self._asking[digest] = asking
            asking.add_done_callback(lambda _: self._asking.pop(digest, None))
        return await asyncio.shield(asking)  # who began it may leave; others wait for the same answer

    async def close(self) -> None:
        """Give up what is under way."""
        asking = list(self._asking.values())
        for one in asking:
            one.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    def _admit(self) -> None:
        now = self._monotonic()
        skipped = self._failed >= self._policy.failures
        if skipped and now - self._probed_at >= self._policy.probe_every.total_seconds():
            self._probed_at, skipped = now, False
        if skipped or len(self._asking) >= self._policy.most_at_once:
            raise unavailable()

    async def _ask(self, token: str, digest: bytes) -> tuple[Principal, JsonObject]:
        try:
            async with asyncio.timeout(self._policy.timeout.total_seconds()):
                answer = await self._download(token)
            if not isinstance(answer.get("active"), bool):  # "true" or 1: an issuer that we do not understand
                raise TypeError("active is no boolean")  # noqa: TRY301 - one place counts every failure
        except (httpx.HTTPError, TimeoutError, ValueError, TypeError, RuntimeError, TokenRefused) as error:
            self._failed += 1
            log.warning("introspection_failed", cause=type(error).__name__, detail=_harmless(error))
            raise unavailable() from error
        self._failed = 0
        try:
            principal = self._principal(answer, token)
        except TokenRefused as refused:
            log.info("token_refused", reason=str(refused))
            self._remember(self._inactive, digest, self._monotonic() + self._policy.remember_inactive.total_seconds())
            raise bad_credential(CredentialKind.OPAQUE) from refused
        left_s = min(self._policy.remember.total_seconds(), principal.expires_at - self._now())
        if left_s > 0:
            self._remember(self._active, digest, (self._monotonic() + left_s, principal, answer))
        return principal, answer

    async def _download(self, token: str) -> JsonObject:
        form = {"token": token, "token_type_hint": "access_token"}
        auth = httpx.BasicAuth(_encoded(self._policy.client_id), _encoded(self._policy.client_secret))
        asked = self._client.stream(
            "POST", self._policy.url, data=form, auth=auth, headers={"accept": "application/json"},
            follow_redirects=False,
        )  # fmt: skip
        async with asked as response:
            if response.status_code != httpx.codes.OK:
                raise ValueError(f"status {response.status_code}")
            document = b""
            async for chunk in response.aiter_bytes():
                document += chunk
                if len(document) > MAX_BYTES:
                    raise ValueError("too large")
        return read_object(document)

    def _principal(self, answer: JsonObject, token: str) -> Principal:
        """Judge an answer. Of one that is not active nothing else is read (RFC 7662 §2.2)."""
        if not answer["active"]:
            raise TokenRefused("not active")
        if self._policy.issuer is not None and answer.get("iss", self._policy.issuer) != self._policy.issuer:
            raise TokenRefused("iss")
        for name, allowed in ACCESS_TOKEN.items():
            if name in answer and str(answer[name]).lower() not in allowed:  # a refresh token is none (identity.md I7)
                raise TokenRefused(name)
        check_audience(answer, self._policy.audience)
        return Principal(
            subject=name_of(answer, "sub"),
            client_id=name_of(answer, "client_id"),
            scopes=scopes_of(answer),
            expires_at=check_times(answer, self._now(), self._policy.leeway.total_seconds(), required=("exp",)),
            token=token,
            kind=CredentialKind.OPAQUE,
            issuer=str(answer.get("iss", self._policy.issuer or "")),
        )

    def _remember(self, memory: dict[bytes, Any], digest: bytes, value: object) -> None:
        memory.pop(digest, None)
        if len(memory) >= self._policy.max_remembered:
            del memory[next(iter(memory))]  # the oldest
        memory[digest] = value


def unavailable() -> ProblemError:
    """Return the 503 for an issuer that cannot be asked: never a yes, and never a no (identity.md I6)."""
    return ProblemError(
        ProblemCode.BACKEND_UNREACHABLE, "Tokens cannot be verified now.", retry_after=timedelta(seconds=1)
    )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _encoded(part: str) -> str:
    """RFC 6749 §2.3.1: form-encoded before they are joined, so that a colon or a % in a secret is no other one."""
    return str(httpx.QueryParams({"x": part}))[2:]


def _harmless(error: Exception) -> str:
    """Return words of ours; a library's may quote what it was given."""
    return str(error) if type(error) in (ValueError, TypeError) else ""
