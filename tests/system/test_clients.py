"""A program on the generated clients, against the running system."""

import json

import pytest

from tests.dev.clients.desk import PROGRAM, compiled, desk, run
from tests.system.running import Running

pytestmark = [pytest.mark.system, pytest.mark.node]


def test_a_program_on_the_typed_clients_compiles_and_runs(running: Running) -> None:
    """Through the edge, over TLS: REST, a typed problem, and a typed document."""
    with desk() as folder:
        done = compiled(folder, PROGRAM)
        assert done.returncode == 0, done.stdout
        ran = run(folder, EDGE=running.edge, TOKEN=running.token(), NODE_EXTRA_CA_CERTS=str(running.ca))
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)

    assert said["rest"]["name"] == said["graph"]["name"] == "Ada"
    assert said["rest"]["order"] == said["graph"]["order"] is not None
    assert said["rest"]["degraded"] == said["graph"]["degraded"] == []
    assert said["refused"] == {"status": 401, "code": "unauthenticated"}
