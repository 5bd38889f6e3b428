"""Opens what judges credentials, from settings, and closes it again.

Owns which parts are needed: a BFF that takes JWTs alone has no memory of keys, and asks no issuer about tokens.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx

from shared.clock import Clock
from shared.identity.authenticator import Authenticator
from shared.identity.credential import CredentialKind
from shared.identity.internal import INTERNAL_JWKS, InternalVerifier
from shared.identity.introspection import IntrospectionPolicy, Introspector
from shared.identity.issuers import Issuers, Verifies
from shared.identity.jwks import JwksCache
from shared.identity.key_book import KeyBook, KeyBookPolicy
from shared.identity.key_store import KeyStore
from shared.identity.settings import CredentialSettings, IdentitySettings, IssuerSettings
from shared.identity.tokens import TokenPolicy, TokenVerifier
from shared.store.store import Store, StorePolicy


@asynccontextmanager
async def open_authenticator(
    settings: IdentitySettings, service: str, client: httpx.AsyncClient, clock: Clock, book: KeyBook | None = None
) -> AsyncIterator[Authenticator]:
    """Open the judge of a BFF called ``service``; ``client`` asks issuers, ``book`` stands in for the keys' store."""
    async with AsyncExitStack() as stack:
        tokens: Verifies | None = None
        if settings.identity_mode == "internal" and settings.internal_jwks_url is not None:
            cache = JwksCache(settings.internal_jwks_url, client, now=clock.now_s, policy=INTERNAL_JWKS)
            keys = await _keys(stack, cache)
            tokens = InternalVerifier(settings.internal_issuer, service, keys, now=clock.wall_s)
        elif settings.identity_mode == "verify" and CredentialKind.JWT in settings.accept:
            tokens = await _issuers(stack, settings, client, clock)
        verify = settings.accept if settings.identity_mode == "verify" else frozenset[CredentialKind]()
        yield Authenticator(
            settings.identity_mode, service, settings.accept, scopes=settings.scopes, tokens=tokens,
            introspector=open_introspector(stack, settings, client, clock) if CredentialKind.OPAQUE in verify else None,
            keys=(book or open_key_book(stack, settings, clock)) if CredentialKind.API_KEY in verify else None,
        )  # fmt: skip


def open_introspector(
    stack: AsyncExitStack, settings: CredentialSettings, client: httpx.AsyncClient, clock: Clock
) -> Introspector | None:
    """Return what asks about opaque tokens, where there is somebody to ask."""
    if settings.introspection_url is None:
        return None
    policy = IntrospectionPolicy(
        url=settings.introspection_url,
        client_id=settings.introspection_client_id,
        client_secret=settings.introspection_client_secret.get_secret_value(),
        audience=settings.audience,
        issuer=settings.introspection_issuer,
        remember=settings.introspection_remember,
        timeout=settings.introspection_timeout,
    )
    made = Introspector(policy, client, now=clock.wall_s, monotonic=clock.now_s)
    stack.push_async_callback(made.close)
    return made


def open_key_book(stack: AsyncExitStack, settings: CredentialSettings, clock: Clock) -> KeyBook | None:
    """Return the book of API keys, already being read, where there is one."""
    address = settings.keys
    if address is None:
        return None
    # Nobody's request waits for it: a reading may take its time.
    store = Store.open(address, clock, StorePolicy(answer_within=KeyBookPolicy().read_every))
    stack.push_async_callback(store.aclose)
    book = KeyBook(KeyStore(store), clock, KeyBookPolicy(max_age=settings.keys_max_age))
    stack.push_async_callback(book.close)
    book.start()
    return book


async def _issuers(
    stack: AsyncExitStack, settings: IdentitySettings, client: httpx.AsyncClient, clock: Clock
) -> Verifies:
    listed = list(settings.issuers)
    if settings.issuer and settings.jwks_url is not None:
        listed.insert(0, IssuerSettings(issuer=settings.issuer, audience=settings.audience, jwks=settings.jwks_url))
    verifiers: dict[str, TokenVerifier] = {}
    for one in listed:
        policy = TokenPolicy(issuer=one.issuer, audience=one.audience, algorithms=one.algorithms, typ=one.token_type)
        keys = await _keys(stack, JwksCache(one.jwks, client, now=clock.now_s))
        verifiers[one.issuer] = TokenVerifier(policy, keys, now=clock.wall_s)
    return (
        Issuers(verifiers, TokenPolicy(issuer="", audience="").max_length)
        if len(verifiers) > 1
        else (next(iter(verifiers.values())))
    )


async def _keys(stack: AsyncExitStack, keys: JwksCache) -> JwksCache:
    """Begin to fetch. In the background: who starts while an issuer is down says 503 to those who ask."""
    warming = asyncio.create_task(keys.refresh())

    async def stop() -> None:
        warming.cancel()
        await keys.close()

    stack.push_async_callback(stop)
    return keys
