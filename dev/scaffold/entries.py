"""What the tree says about a BFF outside of its own folder: an entry a file, and how each is taken away again.

Owns the places. The newcomer's name and port in them are replaced like those in the templates.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from dev.scaffold.splice import SpliceError, insert, insert_after, remove

Edit = Callable[[str], str]

_SERVICE: Final = """
  newcomer:
    build: {context: ., dockerfile: bffs/newcomer/Dockerfile}
    image: frontage-newcomer
    command: [python, -m, bffs.newcomer]
    environment:
      <<: *backends
      FRONTAGE_LISTEN: 0.0.0.0:8009
    ports: ["127.0.0.1:8009:8009"]
    depends_on: *after-backends
    healthcheck:
      <<: *check
      test: [CMD, python, -c, "import urllib.request as r; r.urlopen('http://127.0.0.1:8009/health/ready', timeout=2)"]
    stop_grace_period: 15s
"""
_INCLUDE: Final = """\
  newcomer:
    file: ../bffs/newcomer/edge.yaml
    prefix: /newcomer
    policies: [per-client, customers]
"""
# A caller is known by a key of the partner's, which the control service judges first and the BFF again.
_KEYS_POLICY: Final = "    newcomer-keys: {accept: [api_key], mode: verify}\n"
_KEYS_SETTINGS: Final = """\
      FRONTAGE_ACCEPT: api_key
      FRONTAGE_KEYS_URL: valkey://valkey:6379 # for a trial: it keeps nothing over a restart
"""
_CLUSTER: Final = """\
  newcomer:
    endpoints: ["${EDGE_NEWCOMER_ADDRESS:-newcomer:8009}"]
    health: {path: /health/ready}
"""
_CONFIGMAP: Final = """\
#   kubectl create configmap edge-newcomer --from-file=edge.yaml=bffs/newcomer/edge.yaml   (by that team's pipeline)
"""

_EGRESS: Final = """\
    - to: [{podSelector: {matchLabels: {app.kubernetes.io/name: newcomer}}}]
      ports: [{port: 8009}]
"""
_CONTROL_EGRESS: Final = """\
    - to: [{podSelector: {matchLabels: {app.kubernetes.io/name: control}}}] # judges the keys of newcomer's callers
      ports: [{port: 8401}]
"""


class Entry(NamedTuple):
    """One entry of one file: how it gets there, and how it goes."""

    file: str
    add: Edit
    take: Edit


def entries(rename: Edit, accept: str = "jwt") -> tuple[Entry, ...]:
    """Return every entry, with ``rename`` applied to it. ``accept``: ``jwt``, or ``api_key`` for partners."""
    keys = accept == "api_key"
    service = _SERVICE.replace("8009\n    ports", f"8009\n{_KEYS_SETTINGS}    ports") if keys else _SERVICE
    include = _INCLUDE.replace("customers", "newcomer-keys") if keys else _INCLUDE

    def block(file: str, path: str, text: str, key: str) -> Entry:
        where = tuple(path.split("."))
        own = (*where, rename(key))
        return Entry(file, lambda now: insert(now, where, rename(text)), lambda now: remove(now, own))

    def line(file: str, pattern: str, text: str) -> Entry:
        own = rename(text)
        return Entry(file, lambda now: insert_after(now, pattern, own), lambda now: _without(now, own))

    edge, address = "services.edge", "EDGE_NEWCOMER_ADDRESS"
    return (
        block("compose.yaml", "services", service, "newcomer"),
        block("compose.yaml", f"{edge}.environment", f"      {address}: newcomer:8009\n", address),
        block("compose.yaml", f"{edge}.depends_on", "      newcomer: {condition: service_healthy}\n", "newcomer"),
        line(
            "compose.yaml", r"      - \./bffs/\w+/edge\.yaml:",
            "      - ./bffs/newcomer/edge.yaml:/app/bffs/newcomer/edge.yaml:ro\n",
        ),
        block("edge/edge.yaml", "include", include, "newcomer"),
        *((block("edge/edge.yaml", "policies.auth", _KEYS_POLICY, "newcomer-keys"),) if keys else ()),
        block("edge/edge.yaml", "clusters", _CLUSTER, "newcomer"),
        line("edge/k8s.yaml", "#   kubectl create configmap edge-", _CONFIGMAP),
        line(
            "edge/k8s.yaml", r"            - \{name: \w+, mountPath: /app/bffs/",
            "            - {name: newcomer, mountPath: /app/bffs/newcomer, readOnly: true}\n",
        ),
        line(
            "edge/k8s.yaml", r"        - \{name: \w+, configMap: \{name: edge-",
            "        - {name: newcomer, configMap: {name: edge-newcomer}}\n",
        ),
        line("edge/k8s.yaml", r"      ports: \[\{port: 80\d\d\}\]", _EGRESS),
        *((line("edge/k8s.yaml", r"      ports: \[\{port: 80\d\d\}\]", _CONTROL_EGRESS),) if keys else ()),
        _layers(rename("bffs.newcomer")),
    )  # fmt: skip


def _layers(package: str) -> Entry:
    """Import contracts: the package stands where every BFF stands, before the edge."""

    def add(now: str) -> str:
        listed = now.replace('"edge", "dev"]', f'"{package}", "edge", "dev"]')
        return listed.replace(" | edge | dev", f" | {package} | edge | dev")

    def take(now: str) -> str:
        return now.replace(f'"{package}", ', "").replace(f" | {package} |", " |")

    return Entry("pyproject.toml", add, take)


def _without(now: str, own: str) -> str:
    if own not in now:
        raise SpliceError(f"it no longer says {own.strip()!r}")
    return now.replace(own, "", 1)


def ports_in(compose: str) -> set[int]:
    """Return every port that is published or listened on."""
    return {int(found) for found in re.findall(r"(?<=:)\d{4,5}(?!\d)", compose)}
