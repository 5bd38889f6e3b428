"""Backends and their calls, declared once as frozen values; their live state, opened with the process.

Owns what is asked of a backend and how. What an answer is composed of is ``sections.py``; how attempts run is
``attempt.py``.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b
from random import Random
from string import Formatter
from typing import Any, Final, Generic, Protocol, Self, TypeVar
from urllib.parse import quote

from shared.backends.cache import CachePolicy, CallKey, ResponseCache
from shared.backends.channel import Channel
from shared.backends.coalesce import Flights
from shared.backends.live import LiveCall
from shared.backends.stored import StoredAnswers
from shared.backends.transports import Network, Transport
from shared.backends.wire.pool import PoolPolicy
from shared.clock import Clock
from shared.errors import ProblemCode, ProblemError
from shared.resilience.breaker import Breaker, BreakerPolicy, BreakerState, Listener, nobody
from shared.resilience.budget import BRANCHES_PER_REQUEST, RequestBudget, RetryBudget, RetryBudgetPolicy
from shared.resilience.bulkhead import Bulkhead, BulkheadPolicy
from shared.resilience.hedge import HedgeDelay, HedgePolicy
from shared.resilience.retry import RetryPolicy
from shared.shape import decoder

T = TypeVar("T")

# A second attempt does no harm (RFC 9110 §9.2.2).
IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})

# What RFC 3986 calls unreserved: never escaped.
PLAIN: Final = re.compile(r"[A-Za-z0-9._~-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPolicy:
    """How calls to one backend are made. Every part is a frozen value that can be printed and compared."""

    # A backend in the same region answers in tens of milliseconds; at ten times its p99 it will not answer any more.
    attempt_timeout: timedelta = timedelta(milliseconds=700)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    budget: RetryBudgetPolicy = field(default_factory=RetryBudgetPolicy)
    # Off: more load for a shorter tail is a trade that the team of each backend must want.
    hedge: HedgePolicy | None = None
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)
    bulkhead: BulkheadPolicy = field(default_factory=BulkheadPolicy)
    pool: PoolPolicy = field(default_factory=PoolPolicy)
    # One screen is tens of kilobytes; a section of a megabyte is a mistake.
    max_body_bytes: int = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Backend:
    """A named service that this BFF calls. Its address comes from settings, when the process starts.

    ``credentials`` says whether the caller's token travels on to it; only the BFF's own backends should say yes.
    ``retries`` says that whoever answers there retries by itself (another BFF, a mesh): then we must not (``explain``).
    ``transport`` is for one that speaks nothing else than that; without it, the process's setting counts.
    """

    name: str
    policy: CallPolicy = field(default_factory=CallPolicy)
    credentials: bool = False
    retries: bool = False
    transport: Transport | None = None

    def get(
        self, path: str, into: type[T], *, cache: CachePolicy | None = None, public: bool = False, coalesce: bool = True
    ) -> "Call[T]":
        """Declare a GET. ``path`` is a template (``/users/{user_id}``); ``into`` is the type its JSON must fit.

        ``cache`` lets its answers be used again, as far as their headers allow; ``public`` says that they carry
        nobody's data, so that all callers share them. ``coalesce=False`` is for reads that must see what was written
        a moment ago: a read that is under way already may have missed it.
        """
        return Call(self, "GET", path, decoder(into), cache=cache, public=public, coalesce=coalesce)

    def write(self, method: str, path: str, into: type[T], *, repeatable: bool = False) -> "Call[T]":
        """Declare a write; what it sends comes with the request (``content.py``).

        ``repeatable`` says of a POST or PATCH that its backend does it once however often it comes, by a key or a
        version that it carries: only then, or for a PUT or DELETE, is a failed attempt tried again.
        """
        return Call(self, method, path, decoder(into), repeatable=repeatable)


@dataclass(frozen=True)
class Call(Generic[T]):
    """One declared request to a backend; which parameters it needs follows from its template."""

    backend: Backend
    method: str
    template: str
    decode: Callable[[bytes], T]
    cache: CachePolicy | None = None
    public: bool = False
    coalesce: bool = False
    repeatable: bool = False

    def __post_init__(self) -> None:
        """Split the template once; refuse what would hand one caller's answer to another, or keep an order's."""
        if self.public and self.backend.credentials:
            raise TypeError(f"{self.template}: {self.backend.name} gets the caller's token, so it cannot be public")
        if (self.cache or self.public or self.coalesce) and self.method != "GET":
            raise TypeError(f"{self.template}: only a GET can be remembered or shared, not a {self.method}")
        parts = [(literal, name) for literal, name, _, _ in Formatter().parse(self.template)]
        object.__setattr__(self, "_parts", parts)
        object.__setattr__(self, "parameters", frozenset(name for _, name in parts if name))
        object.__setattr__(self, "idempotent", self.repeatable or self.method in IDEMPOTENT)

    parameters: frozenset[str] = field(init=False)
    idempotent: bool = field(init=False, repr=False, compare=False)
    _parts: list[tuple[str, str | None]] = field(init=False, repr=False, compare=False)

    def key(self, target: str, scope: str, authorization: str | None) -> CallKey:
        """Return what tells this read from every other: for whom, of what, with which credential, read as what."""
        credential = b""
        if self.backend.credentials and authorization is not None:
            credential = blake2b(authorization.encode(), digest_size=16).digest()  # a key outlives its token
        owner = None if self.public else scope
        return CallKey(owner, self.backend.name, self.method, target, credential, self.decode)

    def target(self, parameters: Mapping[str, str]) -> str:
        """Return the request target; a parameter can never leave its place in it."""
        target = ""
        for literal, name in self._parts:
            target += literal
            if name:
                target += _quoted(name, parameters[name], in_path="?" not in target)
        return target


def _quoted(name: str, value: str, *, in_path: bool) -> str:
    """Escape one parameter. Raises ProblemError for what no escape keeps in its place."""
    # Escaped or not, a dot segment moves the path (RFC 3986 §6.2.2) and an empty one changes which route it is.
    if in_path and value in {"", ".", ".."}:
        raise ProblemError(ProblemCode.INVALID_REQUEST, f"Check {name}.")
    if PLAIN.fullmatch(value):  # most ids: a tenth of the time of quote()
        return value
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:  # half of a surrogate pair: JSON can hold it, UTF-8 cannot
        raise ProblemError(ProblemCode.INVALID_REQUEST, f"Check {name}.") from None


AnyCall = Call[Any]
KeyOf = Callable[[AnyCall, str, str, str | None], CallKey]


class Renewal(Protocol):
    """A fetch that nobody waits for."""

    def close(self) -> None:
        """Give it up."""


class BackendState:
    """What lives behind one backend: its channel, and the live part of each policy."""

    __slots__ = ("breaker", "budget", "bulkhead", "channel", "hedge_delay")

    def __init__(self, backend: Backend, channel: Channel, clock: Clock, random: Random, listener: Listener) -> None:
        policy = backend.policy
        self.channel = channel
        self.breaker = Breaker(backend.name, policy.breaker, clock, random, listener)
        self.bulkhead = Bulkhead(backend.name, policy.bulkhead, clock)
        self.budget = RetryBudget(policy.budget, clock)
        self.hedge_delay = HedgeDelay(policy.hedge) if policy.hedge is not None else None

    def may_hedge(self) -> bool:
        """Whether a second attempt beside the first would do no harm: extra load is for a backend that is well."""
        return self.breaker.state is BreakerState.CLOSED and not self.bulkhead.saturated


class Backends:
    """The live backends of one process, and what they share."""

    def __init__(
        self, channels: Mapping[Backend, Channel], clock: Clock, random: Random | None = None,
        listener: Listener = nobody, *, key_of: KeyOf = Call.key, max_branches: int = BRANCHES_PER_REQUEST,
        stored: StoredAnswers | None = None,
    ) -> None:  # fmt: skip
        self.clock = clock
        self.random = random or Random()  # noqa: S311 - jitter, not a secret
        self.key_of = key_of
        self.max_branches = max_branches
        self.cache = ResponseCache(clock)
        self.stored = stored
        self.flights = Flights()
        self.renewals: dict[CallKey, Renewal] = {}
        self._live: dict[int, LiveCall] = {}
        self._states = {
            backend.name: BackendState(backend, channel, clock, self.random, listener)
            for backend, channel in channels.items()
        }

    @classmethod
    def open(
        cls, urls: Mapping[Backend, str], clock: Clock, network: Network | None = None, *, listener: Listener = nobody,
        max_branches: int = BRANCHES_PER_REQUEST, stored: StoredAnswers | None = None,
    ) -> Self:  # fmt: skip
        """Open the channel to each backend; no connection is made before the first call.

        Raises ValueError when the file of a backend's authorities is none.
        """
        way = network or Network()
        channels = {one: way.open(one.name, url, one.policy.pool, clock, one.transport) for one, url in urls.items()}
        return cls(channels, clock, listener=listener, max_branches=max_branches, stored=stored)

    @property
    def states(self) -> Mapping[str, BackendState]:
        """Every live state, by its backend's name."""
        return self._states

    def new_budget(self) -> RequestBudget:
        """Return what one request may spend."""
        return RequestBudget(branches=self.max_branches)

    def state(self, backend: Backend) -> BackendState:
        """Return the live state of a declared backend."""
        return self._states[backend.name]

    def live(self, call: AnyCall) -> LiveCall:
        """Return the live form of a declared call, the same each time."""
        live = self._live.get(id(call))  # by identity: to hash all of its fields would cost more than the rest
        if live is None:
            live = self._live[id(call)] = LiveCall(call, self.state(call.backend))  # holds the call: its id stays its
        return live

    def forget(self, key: CallKey) -> None:
        """Remember an answer no longer, nowhere."""
        self.cache.forget(key)
        if self.stored is not None:
            self.stored.forget(key)

    async def aclose(self) -> None:
        """Close every channel, after what fetches for nobody."""
        for renewal in list(self.renewals.values()):
            renewal.close()
        for state in self._states.values():
            await state.channel.aclose()
        if self.stored is not None:
            await self.stored.aclose()
