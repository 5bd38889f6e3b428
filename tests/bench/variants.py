"""The variants: Frontage as it is started in production, and what others would have written in its place."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.bench.backends import ISSUER, Addresses
from tests.bench.machine import STATE, Tools


@dataclass(frozen=True, slots=True)
class Variant:
    """A program to measure. ``{port}`` in the environment becomes its own."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    path: str = "/mobile/v1/dashboard"
    body: str = ""  # then it is a POST
    port: int = 0  # where it listens, if its command has said so already
    ready: str = "/health/ready"
    headers: Mapping[str, str] = field(default_factory=dict)  # beside those that all requests carry

    @property
    def ours(self) -> bool:
        """Whether it counts its own degraded sections, so that we can ask."""
        return self.name.startswith("frontage")


def frontage(
    where: Addresses, name: str = "frontage", *, module: str = "bffs.mobile", path: str = "/mobile/v1/dashboard",
    body: str = "", silent: bool = False, traced: bool = True, **settings: str,
) -> Variant:  # fmt: skip
    """All default policies, JWT checked, 1 % of traces exported, metrics, access log; ``settings`` differ from that."""
    environment = {
        "FRONTAGE_LISTEN": "127.0.0.1:{port}", "FRONTAGE_MODE": "production", "FRONTAGE_ISSUER": ISSUER,
        "FRONTAGE_JWKS_URL": f"{where.backend}/jwks", "FRONTAGE_USERS_URL": where.backend,
        "FRONTAGE_ORDERS_URL": where.backend, "FRONTAGE_ALERTS_URL": where.silent if silent else where.backend,
        "FRONTAGE_TRACE_RATIO": "0.01",
        # Counted as ever; but all load is one user's, who would have spent his minute in the first second.
        "FRONTAGE_PAGE_COST_PER_MINUTE": "9999999999", "FRONTAGE_EXPLORER_COST_PER_MINUTE": "9999999999",
    }  # fmt: skip
    if traced:
        environment["FRONTAGE_OTLP_ENDPOINT"] = where.backend
    environment |= {f"FRONTAGE_{key.upper()}": value for key, value in settings.items()}
    return Variant(name, (sys.executable, "-m", module), environment, path, body)


def peers(where: Addresses, tools: Tools, *names: str, silent: bool = False) -> list[Variant]:
    """Return the peers of these names, or all."""
    environment = {
        "LISTEN_PORT": "{port}", "USERS_URL": where.backend, "ORDERS_URL": where.backend,
        "ALERTS_URL": where.silent if silent else where.backend, "NODE_ENV": "production",
        # Healthy, it must never matter, however slow the peer; with a silent backend it leaves time to answer.
        "TIMEOUT_MS": "900" if silent else "5000",
    }  # fmt: skip
    dashboard, python = str(STATE / "node/dashboard.mjs"), "tests/bench/peers/python"
    commands = {
        "node-fastify": ("node", dashboard),
        "node-newest": (str(tools.newest_node), dashboard),
        "go-net-http": (str(tools.go_dashboard),),
        "stock-python": (str(tools.python), f"{python}/stock.py"),
        "naive": (str(tools.python), f"{python}/naive.py"),
    }
    return [Variant(name, commands[name], environment) for name in names or commands]
