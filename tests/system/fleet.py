"""A fleet as one runs it: two of everything behind an L4 entry, each a process of its own, each to be replaced alone.

async with fleet(tmp_path, backends, issuer, store_url) as one:
    await one.roll("mobile-a")        # SIGTERM, exit 0, started again, known again to whoever calls it
"""

import asyncio
import os
import re
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import trustme

from shared.testing.issuer import Issuer
from shared.testing.sockets import SocketBackends
from tests.edge.limits.limiters import quiet_port
from tests.offsets import ROOT
from tests.system.lean import BACKENDS

READY_WITHIN_S = 40.0
ENDS_WITHIN_S = 25.0
POLL_S = 0.05
CHECKS = re.compile(r"^frontage_limits_checks_total\{.*\} (\S+)$", re.MULTILINE)
# A fleet has a host for each edge; here each has a loopback address of its own, so that they can share their ports.
EDGE_HOSTS = {"edge-a": "127.0.0.2", "edge-b": "127.0.0.3"}
# Every edge asks its BFFs once a second, and the entry its edges twice: within the delay, all have heard the "no".
DELAY_S = 2.5


@dataclass
class Member:
    """One process: how it is started, and what answers when it is ready."""

    name: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    ready: str
    log: Path
    process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    async def start(self) -> None:
        with self.log.open("ab") as out:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                *self.arguments,
                cwd=ROOT,
                env={**os.environ, **self.environment},
                stdout=out,
                stderr=out,
            )
        async with httpx.AsyncClient(trust_env=False) as client:
            await eventually(lambda: self._answers(client), f"{self.name} is ready")

    def tell(self, number: int = signal.SIGTERM) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    async def stop(self) -> None:
        """SIGTERM; it must end by itself, with 0."""
        if self.process is None:
            return
        if self.process.returncode is None:
            self.tell()
        code = await asyncio.wait_for(self.process.wait(), ENDS_WITHIN_S)
        self.process = None
        assert code == 0, f"{self.name} ended with {code}: {self.log.read_text()[-3000:]}"

    async def kill(self) -> None:
        """As a crash of the machine does; an edge's Envoy dies with its supervisor, a moment later."""
        assert self.process is not None
        self.tell(signal.SIGKILL)
        await self.process.wait()
        self.process = None
        async with httpx.AsyncClient(trust_env=False) as client:
            await eventually(lambda: self._refuses(client), f"{self.name} is gone")

    async def _refuses(self, client: httpx.AsyncClient) -> bool:
        try:
            await client.get(self.ready)
        except httpx.ConnectError:
            return True
        except httpx.TransportError:
            pass
        return False

    async def _answers(self, client: httpx.AsyncClient) -> bool:
        assert self.process is not None
        assert self.process.returncode is None, f"{self.name} ended: {self.log.read_text()[-3000:]}"
        try:
            return (await client.get(self.ready)).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False


@dataclass
class Fleet:
    """The members by name (``entry``, ``edge-a``, ``mobile-b`` …); ``port`` is where everybody comes in."""

    port: int
    trust: dict[str, ssl.SSLContext]
    members: dict[str, Member] = field(default_factory=dict)
    admins: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Member:
        return self.members[name]

    async def roll(self, name: str) -> None:
        """Replace one member as a rolling deploy does: the next may follow when this returns."""
        await self[name].stop()
        await self[name].start()
        await self.settled(name.rpartition("-")[0])

    async def settled(self, kind: str) -> None:
        """Wait until whoever calls this kind of member sees two of them."""
        cluster = {"edge": "tcp_public_edges", "limits": "frontage_limiter"}.get(kind, kind)
        for caller in ["entry"] if kind == "edge" else list(EDGE_HOSTS):
            await eventually(lambda caller=caller: self._healthy(caller, cluster), f"{caller} sees both of {kind}")

    async def _healthy(self, caller: str, cluster: str) -> bool:
        return (await self.stats(caller, cluster)).get("membership_healthy") == 2

    async def stats(self, caller: str, cluster: str) -> dict[str, int]:
        """Return the counters that an Envoy keeps of a cluster, by their short names."""
        async with httpx.AsyncClient(trust_env=False) as client:
            wanted = f"^cluster\\.{re.escape(cluster)}\\."
            text = (await client.get(f"{self.admins[caller]}/stats", params={"filter": wanted})).text
        pairs = (line.removeprefix(f"cluster.{cluster}.").partition(": ") for line in text.splitlines())
        return {name: int(value) for name, _, value in pairs if value.isdigit()}

    async def judged(self) -> float:
        """Return how many checks both limiters have judged since they were started."""
        total = 0.0
        async with httpx.AsyncClient(trust_env=False) as client:
            for letter in "ab":
                text = (await client.get(self[f"limits-{letter}"].ready.replace("/health/ready", "/metrics"))).text
                total += sum(map(float, CHECKS.findall(text)))
        return total


async def eventually(holds, what: str) -> None:
    for _ in range(int(READY_WITHIN_S / POLL_S)):
        if await holds():
            return
        await asyncio.sleep(POLL_S)
    raise AssertionError(f"never: {what}")


@asynccontextmanager
async def fleet(folder: Path, backends: SocketBackends, issuer: Issuer, store_url: str) -> AsyncIterator[Fleet]:
    """Start all of it; each member must end with 0 when it is told to."""
    keys = backends.open_apart("issuer")
    keys.answers("GET /jwks", issuer.jwks())
    urls = {f"FRONTAGE_{name.upper()}_URL": backends.open(name).url for name in BACKENDS}
    made = Fleet(quiet_port(), _certificates(folder))
    bffs, limiters = _bffs(made, folder, issuer, f"{keys.url}/jwks", urls), _limiters(made, folder, store_url)
    _edges(made, folder, issuer, f"{keys.url}/jwks", bffs, limiters)
    async with AsyncExitStack() as stack:
        for one in made.members.values():
            stack.push_async_callback(one.stop)
        await asyncio.gather(*(one.start() for one in made.members.values()))
        for kind in ("edge", "mobile", "web", "limits"):
            await made.settled(kind)
        yield made


def _bffs(made: Fleet, folder: Path, issuer: Issuer, jwks: str, urls: dict[str, str]) -> dict[str, list[str]]:
    addresses: dict[str, list[str]] = {"mobile": [], "web": []}
    for bff, named in addresses.items():
        for letter in "ab":
            address = f"127.0.0.1:{quiet_port()}"
            named.append(address)
            environment = {
                "FRONTAGE_LISTEN": address, "FRONTAGE_ISSUER": issuer.name, "FRONTAGE_AUDIENCE": issuer.audience,
                "FRONTAGE_JWKS_URL": jwks, "FRONTAGE_LOG_LEVEL": "warning", **_drain(DELAY_S), **urls,
                # One user is all the users of this test: what he may cost a minute is another test's business.
                **({"FRONTAGE_PAGE_COST_PER_MINUTE": "1000000000"} if bff == "web" else {}),
            }  # fmt: skip
            _join(made, folder, f"{bff}-{letter}", ("-m", f"bffs.{bff}"), environment, address)
    return addresses


def _limiters(made: Fleet, folder: Path, store_url: str) -> list[str]:
    asked = []
    for letter in "ab":
        address, grpc = f"127.0.0.1:{quiet_port()}", f"127.0.0.1:{quiet_port()}"
        asked.append(grpc)
        environment = {
            "FRONTAGE_LISTEN": address, "FRONTAGE_GRPC_LISTEN": grpc, "FRONTAGE_STORE_URL": store_url,
            "FRONTAGE_STORE_ANSWER_WITHIN": "PT5S", **_drain(DELAY_S),
        }  # fmt: skip
        _join(made, folder, f"limits-{letter}", ("-m", "edge.limits"), environment, address)
    return asked


def _edges(
    made: Fleet, folder: Path, issuer: Issuer, jwks: str, bffs: dict[str, list[str]], limiters: list[str]
) -> None:
    """Two edges on the system's own ``edge.yaml``, with two endpoints where it has one; and the entry before them."""
    text = (ROOT / "edge/edge.yaml").read_text().replace("../bffs", str(ROOT / "bffs"))
    for name, addresses in {**bffs, "limiter": limiters}.items():
        word = r'\["\$\{EDGE_' + name.upper() + r'_ADDRESS[^}]*\}"\]'
        text, found = re.subn(word, str(addresses).replace("'", '"'), text)
        assert found == 1
    # A busy machine answers late and is not away; whoever drains says so, and that counts at once.
    text = text.replace("health: {path: /health/ready}", "health: {path: /health/ready, unhealthy_after: 15}")
    file = folder / "edge.yaml"
    file.write_text(text)
    public, redirect, admin, operations = (quiet_port() for _ in range(4))
    for name, host in EDGE_HOSTS.items():
        environment = {
            "EDGE_PUBLIC_ADDRESS": f"{host}:{public}", "EDGE_REDIRECT_ADDRESS": f"{host}:{redirect}",
            "EDGE_ADMIN_ADDRESS": f"{host}:{admin}", "EDGE_ADMIN_EXPOSED": "true", "EDGE_TRACES_ADDRESS": "",
            "EDGE_OPERATIONS_ADDRESS": f"{host}:{operations}", "EDGE_ISSUER": issuer.name, "EDGE_JWKS_URL": jwks,
            "EDGE_CERTIFICATE": str(folder / "edge.pem"), "EDGE_KEY": str(folder / "edge.key"),
            "EDGE_STATE": str(folder / name), "EDGE_CONCURRENCY": "1", "EDGE_DRAIN_DELAY_S": str(DELAY_S),
            "EDGE_CLIENT_LIMIT": "1000000", "EDGE_USER_LIMIT": "1000000",
        }  # fmt: skip
        made.admins[name] = f"http://{host}:{admin}"
        _join(made, folder, name, ("-m", "edge", "run", str(file)), environment, f"{host}:{operations}")
    entry_admin, entry_operations = quiet_port(), quiet_port()
    asks = f"path: /health/ready, port: {operations}, interval: 500ms, timeout: 500ms, unhealthy_after: 15"
    entry = folder / "entry.yaml"
    entry.write_text(
        f'admin: {{address: "127.0.0.1:{entry_admin}"}}\noperations: {{address: "127.0.0.1:{entry_operations}"}}\n'
        f'tcp: [{{name: public, listen: "127.0.0.1:{made.port}", cluster: edges}}]\n'
        f"clusters:\n  edges:\n    endpoints: {[f'{host}:{public}' for host in EDGE_HOSTS.values()]}\n"
        f"    health: {{{asks}}}\n"
        "    ejection: {after: 1, time: 1s}\n"
    )
    made.admins["entry"] = f"http://127.0.0.1:{entry_admin}"
    environment = {"EDGE_STATE": str(folder / "entry"), "EDGE_CONCURRENCY": "1", "EDGE_DRAIN_GRACE_S": "1"}
    _join(made, folder, "entry", ("-m", "edge", "run", str(entry)), environment, f"127.0.0.1:{entry_operations}")


def _join(
    made: Fleet, folder: Path, name: str, arguments: tuple[str, ...], environment: dict[str, str], address: str
) -> None:
    made.members[name] = Member(name, arguments, environment, f"http://{address}/health/ready", folder / f"{name}.log")


def _drain(delay_s: float) -> dict[str, str]:
    return {"FRONTAGE_DRAIN_DELAY": f"PT{delay_s}S", "FRONTAGE_DRAIN_GRACE": "PT10S"}


def _certificates(folder: Path) -> dict[str, ssl.SSLContext]:
    """Write the edges' certificate; return what to trust, for a client of each protocol."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(folder / "edge.key")
    (folder / "edge.pem").write_bytes(b"".join(part.bytes() for part in certificate.cert_chain_pems))
    contexts = {}
    for protocol in ("http/1.1", "h2"):
        contexts[protocol] = ssl.create_default_context()
        authority.configure_trust(contexts[protocol])
        contexts[protocol].set_alpn_protocols([protocol])
    return contexts
