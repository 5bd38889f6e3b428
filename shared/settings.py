"""What every service reads from its environment: ``FRONTAGE_*``, validated at start, all faults at once."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.addresses import BackendUrl, HttpUrl, ListenAddress
from shared.backends.wire.tls import TlsPolicy
from shared.cursors import Cursors
from shared.identity.hop import HopSettings
from shared.identity.settings import IdentitySettings
from shared.resilience.budget import BRANCHES_PER_REQUEST
from shared.store.address import StoreAddress, read_address
from shared.telemetry.keeping import Why

__all__ = ["BackendUrl", "BffSettings", "HttpUrl", "ListenAddress", "ServiceSettings", "StoreSettings"]

# 32 random characters: what `openssl rand -hex 16` prints.
SHORTEST_KEY: Final = 32


def _holds_authorities(file: Path | None) -> Path | None:
    """Refuse at start what would make every call fail later."""
    if file is not None:  # the system's own authorities need no look, and take a twentieth of a second to load
        TlsPolicy(ca=file).context()
    return file


class ServiceSettings(BaseSettings):
    """Settings common to all services.

    ``mode`` is ``local`` only on a developer's machine: it opens GraphiQL and readable start-up lines.
    ``tracing`` is ``ledger`` or ``sdk`` (spans made by the OpenTelemetry SDK: the stock part); ``trace_keep`` names
    what is told although it was not sampled.
    ``drain_delay`` is how long a stopping service still accepts calls while its readiness says no;
    ``drain_grace`` how long calls in flight may then take.
    """

    model_config = SettingsConfigDict(env_prefix="FRONTAGE_", frozen=True, extra="ignore")

    listen: ListenAddress
    mode: Literal["local", "production"] = "production"
    version: str = "0.1.0"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    otlp_endpoint: str | None = None
    tracing: Literal["ledger", "sdk"] = "ledger"
    trace_ratio: Annotated[float, Field(ge=0, le=1)] = 1.0
    trace_keep: Annotated[frozenset[Why], NoDecode] = frozenset(Why)
    trace_slow_after: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(seconds=1)
    trace_keep_per_second: Annotated[int, Field(ge=0)] = 100
    drain_delay: timedelta = timedelta(0)
    drain_grace: timedelta = timedelta(seconds=10)

    @field_validator("trace_keep", mode="before")
    @classmethod
    def _words(cls, value: object) -> object:
        """Read ``failed,degraded``; ``off`` is nothing."""
        if not isinstance(value, str):
            return value
        return [word for one in value.split(",") if (word := one.strip()) not in {"", "off"}]

    @property
    def host(self) -> str:
        """Host part of ``listen``, without the brackets of an IPv6 literal."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """Port part of ``listen``."""
        return int(self.listen.rpartition(":")[2])


class StoreSettings(ServiceSettings):
    """What every service needs beyond that which keeps something in the store; without a URL it does without.

    ``store_url`` may hold a password: it is never shown. Its forms are those of ``shared/store/address.py``.
    ``store_answer_within`` is how long anybody waits for it.
    """

    store_url: SecretStr | None = None
    # It takes well below a millisecond in the same zone; what waits this long for a store was better done without it.
    store_answer_within: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(milliseconds=25)

    @property
    def store(self) -> StoreAddress | None:
        """Where the store is. Raises ValueError, which names the variable and what is wrong, but no secret."""
        if self.store_url is None or not self.store_url.get_secret_value():
            return None
        try:
            return read_address(self.store_url.get_secret_value())
        except ValueError as fault:
            raise ValueError(f"FRONTAGE_STORE_URL: {fault}") from None


class BffSettings(StoreSettings, IdentitySettings, HopSettings):
    """What every BFF needs beyond that: whom it believes, and who may call it (``identity/``).

    ``transport`` is ``wire``, ``h2`` (for backends that speak HTTP/2) or ``httpx`` (the stock client); ``route`` is
    ``lean`` or ``fastapi`` (its own dispatch): fast by default, stock to rule ours out when something is odd.
    ``max_branches`` is how many sections one answer may ask for, in all its fan-outs together. ``backend_ca`` is a PEM
    file of authorities that backends and issuer may have their certificates from, beside the system's.
    ``cursor_keys`` are secrets with commas between them; the first seals the cursors of lists, any of them opens one.
    Without one, each process draws its own, and a list cannot be continued on another. ``app_policy`` is a file that
    says which versions of apps are served (``asgi/app_policy.py``); callers with ``timing_scope`` get Server-Timing.
    """

    transport: Literal["wire", "httpx", "h2"] = "wire"
    route: Literal["lean", "fastapi"] = "lean"
    max_branches: Annotated[int, Field(ge=1)] = BRANCHES_PER_REQUEST
    backend_ca: Annotated[Path | None, AfterValidator(_holds_authorities)] = None
    cursor_keys: SecretStr = SecretStr("")
    app_policy: Path | None = None
    timing_scope: str = "server:timing"

    @model_validator(mode="after")
    def _nobody_else_speaks(self) -> Self:
        """Believe plain headers only where nobody but the edge can send them."""
        excused = self.trust == "insecure-dev" and self.mode == "local"
        if self.identity_mode == "edge" and self.tls_caller is None and not excused:
            raise ValueError(
                "FRONTAGE_IDENTITY_MODE is edge: set FRONTAGE_TLS_CERTIFICATE, FRONTAGE_TLS_KEY, FRONTAGE_TLS_CALLERS "
                "and FRONTAGE_TLS_CALLER, so that nobody but the edge can call; or use verify or internal"
            )
        return self

    @property
    def cursors(self) -> Cursors:
        """What seals the cursors of this process's lists. Raises ValueError, which shows no key."""
        keys = self.cursor_keys.get_secret_value()
        if keys and any(len(key) < SHORTEST_KEY for key in keys.split(",")):  # here: pydantic would show what it got
            raise ValueError(
                f"FRONTAGE_CURSOR_KEYS: a key has at least {SHORTEST_KEY} characters; `openssl rand -hex 16`"
            )
        return Cursors([key.encode() for key in keys.split(",")] if keys else ())
