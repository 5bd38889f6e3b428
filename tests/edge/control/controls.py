"""Runs ``python -m edge.control`` as people do, on free ports, and API keys as people make them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
from typer.testing import CliRunner, Result

from edge.keys import app
from tests.edge.edges import stays_or_is_killed
from tests.edge.limits.limiters import quiet_port

SECRET = "s:cret%"


class RunningControl:
    """One control service."""

    def __init__(self, folder: Path, store_url: str, echo_port: int, **environment: str) -> None:
        self.port, self.grpc_port = quiet_port(), quiet_port()
        self.log = folder / f"control-{self.port}.log"
        self.environment = {
            **os.environ,
            "FRONTAGE_LISTEN": f"127.0.0.1:{self.port}",
            "FRONTAGE_GRPC_LISTEN": f"127.0.0.1:{self.grpc_port}",
            "FRONTAGE_STORE_URL": store_url,
            "FRONTAGE_KEYS_URL": store_url,
            "FRONTAGE_INTROSPECTION_URL": f"http://127.0.0.1:{echo_port}/introspect",
            "FRONTAGE_INTROSPECTION_CLIENT_ID": "edge",
            "FRONTAGE_INTROSPECTION_CLIENT_SECRET": SECRET,
            "FRONTAGE_INTROSPECTION_ISSUER": "https://issuer.test",
            "FRONTAGE_INTROSPECTION_REMEMBER": "PT2S",
            "FRONTAGE_INTROSPECTION_TIMEOUT": "PT10S",  # a busy machine must not look like an issuer that is away
            **environment,
        }
        self.process: subprocess.Popen | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    @property
    def jwks_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/.well-known/edge-jwks.json"

    def launch(self) -> "RunningControl":
        with self.log.open("w") as log:
            command = [sys.executable, "-m", "edge.control"]
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        return self

    def start(self) -> "RunningControl":
        self.launch()
        stays_or_is_killed(self.process, self.ready, "the control service", self.log)
        return self

    def ready(self) -> bool:
        try:
            return self.get("/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", trust_env=False)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(20)


def keys(store_url: str, *words: str) -> Result:
    """Run what ``python -m edge keys`` runs, in this process."""
    return CliRunner().invoke(app, words, env={"FRONTAGE_KEYS_URL": store_url})


def made(store_url: str, *words: str) -> tuple[str, str]:
    """Make a key as a script would; return it and its id."""
    done = keys(store_url, "create", *words)
    assert done.exit_code == 0, done.stderr
    key = done.stdout.strip()
    return key, key.split("_")[2]


def listed(store_url: str) -> dict[str, dict]:
    done = keys(store_url, "list", "--json")
    assert done.exit_code == 0, done.stderr
    return {one["id"]: one for one in json.loads(done.stdout)}
