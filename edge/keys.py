"""``python -m edge keys``: API keys for partners, made, seen, replaced and taken back.

Owns the commands. A key is shown once, alone on stdout, so that ``$(python -m edge keys create …)`` is the key; all
other words go to stderr. What a key is worth is written to the store that ``FRONTAGE_KEYS_URL`` names; every edge and
BFF knows it within two seconds, and that it was revoked within five.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, TypeVar

import typer

from edge.units import parse_duration
from shared.identity.api_keys import ApiKey, new_key, read_key
from shared.identity.key_records import KeyRecord, KeyState, new_record
from shared.identity.key_store import Change, KeyChangedMeanwhileError, KeyStore
from shared.store.address import read_address
from shared.store.errors import StoreError
from shared.store.store import Store, StorePolicy

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="API keys: create, list, rotate, revoke.")

# A person waits, not a request.
PATIENT: Final = StorePolicy(answer_within=timedelta(seconds=5), connect_within=timedelta(seconds=5))

StoreUrl = Annotated[str, typer.Option("--store", envvar="FRONTAGE_KEYS_URL", help="Where the keys are kept.")]
Id = Annotated[str, typer.Argument(help="The key's id; or the whole key, as it was found somewhere.")]


@app.command()
def create(
    *,
    client: Annotated[str, typer.Option(help="Whose it is: the subject of its calls.")],
    audience: Annotated[list[str], typer.Option("--for", help="BFF that it is for; again for more.")],
    scope: Annotated[list[str] | None, typer.Option(help="A right; again for more.")] = None,
    expires: Annotated[str, typer.Option(help="After 90d, 365d …, or never.")] = "365d",
    env: Annotated[str, typer.Option(help="A word in the key, to tell live ones from others.")] = "live",
    store: StoreUrl,
) -> None:
    """Make a key, and show it this once."""
    life = None if expires == "never" else _duration(expires)
    key = _key(env)
    record = new_record(
        key, client=client, scopes=tuple(scope or ()), audiences=tuple(audience), now_s=time.time(), life=life
    )
    _run(store, lambda keys: keys.write(Change(None, record)))
    _show(key, f"{key.id} for {client}, {_ends(record)}")


@app.command("list")
def list_(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    store: StoreUrl,
) -> None:
    """Show what is known of every key; never a key."""

    async def read(keys: KeyStore) -> tuple[list[KeyRecord], dict[str, int]]:
        return list((await _all(keys)).values()), await keys.uses()

    records, uses = _run(store, read)
    records.sort(key=lambda one: (one.client, one.created_at, one.id))
    now = time.time()
    if as_json:
        typer.echo(json.dumps([_told(one, uses, now) for one in records], indent=1))
        return
    rows = [("ID", "CLIENT", "FOR", "SCOPES", "STATUS", "EXPIRES", "LAST USED")]
    rows += [
        (one.id, one.client, ",".join(one.audiences), ",".join(one.scopes) or "-", one.status(now),
         _day(one.expires_at), _moment(uses.get(one.id)))
        for one in records
    ]  # fmt: skip
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        typer.echo("  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip())


@app.command()
def rotate(
    key_id: Id, *, overlap: Annotated[str, typer.Option(help="How long the old key still counts.")] = "7d",
    store: StoreUrl,
) -> None:  # fmt: skip
    """Make a key with the same rights in place of another; the old one counts for a while yet."""
    until = time.time() + _duration(overlap).total_seconds()

    async def replace(keys: KeyStore) -> tuple[ApiKey, KeyRecord]:
        old = await _one(keys, key_id)
        if not old.counts(time.time()):
            raise _stop(f"{old.id} is {old.status(time.time())}: nothing to take the place of; use create")
        new = _key(old.env)
        await keys.write(Change(None, old.followed_by(new, time.time())), Change(old, old.retiring(until)))
        return new, old.retiring(until)

    key, old = _run(store, replace)
    _show(key, f"{key.id} takes the place of {old.id}, which {_ends(old)}")


@app.command()
def revoke(key_id: Id, *, store: StoreUrl) -> None:
    """Take a key back: within five seconds it counts nowhere."""

    async def take_back(keys: KeyStore) -> KeyRecord:
        old = await _one(keys, key_id)
        if old.state is not KeyState.REVOKED:
            await keys.write(Change(old, old.revoked()))
        return old

    old = _run(store, take_back)
    typer.echo(f"revoked {old.id} of {old.client}: within 5 s it counts nowhere", err=True)


def _told(record: KeyRecord, uses: dict[str, int], now: float) -> dict[str, Any]:
    """Return a record for programs, without its digest."""
    told = {name: value for name, value in asdict(record).items() if name != "digest"}
    return {**told, "status": record.status(now), "last_used": uses.get(record.id)}


async def _all(keys: KeyStore) -> dict[str, KeyRecord]:
    found = await keys.read()
    return found.records if found is not None else {}


async def _one(keys: KeyStore, text: str) -> KeyRecord:
    """Return the record of an id, or of a whole key: what leaked is at hand, its id may not be."""
    whole = read_key(text)
    found = (await _all(keys)).get(whole.id if whole else text)
    if found is None:
        raise _stop(f"no key {whole.id if whole else text[:12]!r} is known; 'python -m edge keys list' shows them")
    return found


def _run(store_url: str, act: Callable[[KeyStore], Awaitable[T]]) -> T:
    async def with_store() -> T:
        store = Store.open(read_address(store_url), None, PATIENT)
        try:
            return await act(KeyStore(store))
        finally:
            await store.aclose()

    try:
        return asyncio.run(with_store())
    except ValueError as fault:
        raise _stop(f"FRONTAGE_KEYS_URL: {fault}") from None
    except StoreError as error:
        raise _stop(f"the store of the keys does not answer ({error}): nothing was changed") from None
    except KeyChangedMeanwhileError:
        raise _stop("somebody else changed this key just now: look again with list") from None


def _key(env: str) -> ApiKey:
    try:
        return new_key(env)
    except ValueError as fault:
        raise _stop(str(fault)) from None


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as fault:
        raise _stop(f"{text!r}: {fault}") from None


def _stop(words: str) -> typer.Exit:
    typer.echo(words, err=True)
    return typer.Exit(1)


def _show(key: ApiKey, words: str) -> None:
    typer.echo(f"{words}. It is not shown again.", err=True)
    typer.echo(key.text)


def _ends(record: KeyRecord) -> str:
    return "never ends" if record.expires_at is None else f"ends {_moment(record.expires_at)}"


def _day(at: int | None) -> str:
    return "never" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def _moment(at: int | None) -> str:
    return "-" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
