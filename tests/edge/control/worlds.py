"""A world for the table: an issuer's keys at the echo, API keys of every fate in the store, and BFFs that judge."""

import asyncio
import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx

from shared.identity.api_keys import ApiKey, new_key
from shared.identity.key_records import KeyRecord, KeyState
from shared.identity.key_store import Change, KeyStore
from shared.store.address import read_address
from shared.store.store import Store, StorePolicy
from tests.edge.control.controls import SECRET
from tests.edge.control.credentials_table import SCOPE, World
from tests.edge.echo import Echo
from tests.edge.edges import wait_for
from tests.edge.limits.limiters import quiet_port
from tests.shared.identity.tokens_table import AUDIENCE, ISSUER, Issuer

PATIENT = StorePolicy(answer_within=timedelta(seconds=10), connect_within=timedelta(seconds=10))


def record(key: ApiKey, **changes: object) -> KeyRecord:
    now = int(time.time())
    return replace(
        KeyRecord(
            id=key.id, env="test", digest=key.digest, client="acme", scopes=(SCOPE,), audiences=("mobile",),
            created_at=now, not_before=now - 60, expires_at=now + 3600,
        ),
        **changes,
    )  # fmt: skip


def make_world(echo: Echo, store_url: str) -> World:
    """Publish the issuer's keys, and write the records of API keys."""
    issuer = Issuer(int(time.time()))
    echo.published["/table/jwks"] = issuer.jwks()
    now = int(time.time())
    fates: dict[str, dict[str, object]] = {
        "good": {},
        "retiring": {"state": KeyState.RETIRING},
        "revoked": {"state": KeyState.REVOKED},
        "expired": {"expires_at": now - 5},
        "to_come": {"not_before": now + 3600},
        "elsewhere": {"audiences": ("web",)},
        "scopeless": {"scopes": ("other",)},
    }
    keys = {fate: new_key("test") for fate in (*fates, "unknown", "other_secret")}
    records = [record(keys[fate], **changes) for fate, changes in fates.items()]
    # The id is known, the secret is another: what is left after a rotation that went wrong, or of an attacker's try.
    records.append(record(replace(keys["other_secret"], text=new_key("test").text)))
    asyncio.run(_write(store_url, records))
    return World(issuer, echo.introspection, {fate: key.text for fate, key in keys.items()})


async def _write(store_url: str, records: list[KeyRecord]) -> None:
    store = Store.open(read_address(store_url), None, PATIENT)
    await KeyStore(store).write(*(Change(None, one) for one in records))
    await store.aclose()


class RunningBff:
    """A BFF as a process: the smallest, or another whose backends are the echo."""

    def __init__(
        self, folder: Path, echo: Echo, store_url: str, module: str = "tests.edge.control.who", **environment: str
    ) -> None:
        self.module = module
        self.port = quiet_port()
        self.log = folder / f"bff-{self.port}.log"
        at = f"http://127.0.0.1:{echo.port}"
        self.environment = {
            **os.environ,
            "FRONTAGE_LISTEN": f"127.0.0.1:{self.port}",
            **{f"FRONTAGE_{name}_URL": at for name in ("USERS", "ORDERS", "ALERTS")},
            "FRONTAGE_ACCEPT": "jwt,opaque,api_key",
            "FRONTAGE_SCOPES": SCOPE,
            "FRONTAGE_ISSUER": ISSUER,
            "FRONTAGE_AUDIENCE": AUDIENCE,
            "FRONTAGE_JWKS_URL": f"{at}/table/jwks",
            "FRONTAGE_INTROSPECTION_URL": f"{at}/introspect",
            "FRONTAGE_INTROSPECTION_CLIENT_ID": "edge",
            "FRONTAGE_INTROSPECTION_CLIENT_SECRET": SECRET,
            "FRONTAGE_INTROSPECTION_ISSUER": "https://issuer.test",
            "FRONTAGE_INTROSPECTION_TIMEOUT": "PT10S",
            "FRONTAGE_KEYS_URL": store_url,
            **environment,
        }
        self.process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def launch(self) -> "RunningBff":
        with self.log.open("w") as log:
            command = [sys.executable, "-m", self.module]
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        return self

    def wait(self) -> "RunningBff":
        wait_for(lambda: self.process.poll() is not None or self.ready(), "the BFF is ready", 30)
        assert self.process.poll() is None, self.log.read_text()
        return self

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)
