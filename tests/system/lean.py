"""The real edge and both real BFFs, each a process of its own, over backends that are scripted in the test's process.

async with lean_system(tmp_path, backends, issuer) as system:
    async with system.client() as client: ...
"""

import asyncio
import os
import re
import signal
import ssl
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import trustme

from shared.testing.issuer import Issuer
from shared.testing.sockets import SocketBackends
from tests.offsets import ROOT, free_offset

BACKENDS = ("users", "orders", "alerts")
BFFS = ("mobile", "web")
PORTS = {
    "edge": 8443,
    "redirect": 8080,
    "admin": 9901,
    "mobile": 8001,
    "web": 8002,
}  # as in compose.yaml, to be shifted
READY_WITHIN_S = 40.0
SAMPLE = re.compile(r"^(\w+)\{(.*)\} (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class LeanSystem:
    """Where the parts are."""

    edge: str
    bffs: Mapping[str, str]
    trust: ssl.SSLContext

    def client(self, **options: Any) -> httpx.AsyncClient:
        """Return a client at the edge, over TLS."""
        return httpx.AsyncClient(base_url=self.edge, verify=self.trust, trust_env=False, **{"timeout": 15, **options})

    async def gauges(self, bff: str, name: str) -> dict[str, float]:
        """Return the values of one metric of a BFF by their labels."""
        async with httpx.AsyncClient() as client:
            text = (await client.get(f"{self.bffs[bff]}/metrics")).raise_for_status().text
        return {labels: float(value) for found, labels, value in SAMPLE.findall(text) if found == name}


@asynccontextmanager
async def lean_system(folder: Path, backends: SocketBackends, issuer: Issuer) -> AsyncIterator[LeanSystem]:
    """Start the three; each must end with 0 when it is told to."""
    keys = backends.open_apart("issuer")
    keys.answers("GET /jwks", issuer.jwks())
    offset = free_offset()
    ports = {name: port + offset for name, port in PORTS.items()}
    bffs = {name: f"http://127.0.0.1:{ports[name]}" for name in BFFS}
    async with AsyncExitStack() as stack:
        for name in BFFS:
            settings = {
                "LISTEN": f"127.0.0.1:{ports[name]}", "ISSUER": issuer.name, "AUDIENCE": issuer.audience,
                "JWKS_URL": f"{keys.url}/jwks", "LOG_LEVEL": "warning",
                **{f"{backend.upper()}_URL": backends.open(backend).url for backend in BACKENDS},
            }  # fmt: skip
            environment = {f"FRONTAGE_{key}": value for key, value in settings.items()}
            process = await stack.enter_async_context(_process(folder / name, environment, "-m", f"bffs.{name}"))
            await _answers(f"{bffs[name]}/health/ready", process)
        trust = _certificates(folder)
        environment = {
            "EDGE_PUBLIC_ADDRESS": f"127.0.0.1:{ports['edge']}", "EDGE_ADMIN_ADDRESS": f"127.0.0.1:{ports['admin']}",
            "EDGE_REDIRECT_ADDRESS": f"127.0.0.1:{ports['redirect']}", "EDGE_ISSUER": issuer.name,
            "EDGE_JWKS_URL": f"{keys.url}/jwks", "EDGE_CERTIFICATE": str(folder / "edge.pem"),
            "EDGE_KEY": str(folder / "edge.key"), "EDGE_TRACES_ADDRESS": "", "EDGE_STATE": str(folder / "state"),
            # One address is all the users of this test: its limit is another test's business.
            "EDGE_CLIENT_LIMIT": "1000000",
            **{f"EDGE_{name.upper()}_ADDRESS": f"127.0.0.1:{ports[name]}" for name in BFFS},
        }  # fmt: skip
        process = await stack.enter_async_context(_process(folder / "edge", environment, "-m", "edge", "run"))
        await _answers(f"http://127.0.0.1:{ports['admin']}/ready", process)
        system = LeanSystem(f"https://localhost:{ports['edge']}", bffs, trust)
        async with system.client() as client:
            await _until_routed(client)
        yield system


def _certificates(folder: Path) -> ssl.SSLContext:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(folder / "edge.key")
    (folder / "edge.pem").write_bytes(b"".join(part.bytes() for part in certificate.cert_chain_pems))
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    return trust


@asynccontextmanager
async def _process(
    name: Path, environment: dict[str, str], *arguments: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    log = name.with_suffix(".log")
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, cwd=ROOT, env={**os.environ, **environment}, stdout=out, stderr=out
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(process.wait(), 30)
        assert code == 0, log.read_text()[-4000:]


async def _answers(url: str, process: asyncio.subprocess.Process) -> None:
    async with httpx.AsyncClient() as client:
        for _ in range(int(READY_WITHIN_S / 0.05)):
            assert process.returncode is None, "it ended before it was ready"
            try:
                if (await client.get(url)).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)
    raise AssertionError(f"{url} did not get ready")


async def _until_routed(client: httpx.AsyncClient) -> None:
    """Wait until both BFFs' first health checks have passed: before them, the edge has nobody to ask."""
    for path in ("/mobile/v1/dashboard", "/web/graphql"):
        for _ in range(int(READY_WITHIN_S / 0.05)):
            if (await client.get(path)).status_code == httpx.codes.UNAUTHORIZED:
                break
            await asyncio.sleep(0.05)
        else:
            raise AssertionError(f"{path} is not routed")
