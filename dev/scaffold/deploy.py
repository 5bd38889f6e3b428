"""How a new BFF is deployed: the mobile BFF's image and manifests under another name.

These files are the same for every BFF but for name and port, so they are derived from one that is looked after, not
kept as templates that nobody deploys. Owns what goes: variables that the new settings do not have, and permission to
call whom the new BFF does not call.
"""

import re
from collections.abc import Callable, Collection, Iterator
from typing import Final

FILES: Final = ("Dockerfile", "k8s.yaml")
MODEL: Final = "mobile"
MODEL_PORT: Final = "8001"
_VARIABLE: Final = re.compile(r"\s+- \{name: FRONTAGE_(\w+),")
_MAY_CALL: Final = re.compile(r"\s+- to: \[\{podSelector: \{matchLabels: \{app\.kubernetes\.io/name: (\w+)\}\}\}\]")
# Called by every BFF, through a secret that no variable spells out.
_ALWAYS: Final = {"valkey"}


_LISTEN: Final = re.compile(r"( +)- \{name: FRONTAGE_LISTEN,.*\n")
# What a BFF needs whose callers have keys: in a cluster, their store is a secret of its own.
_KEYS: Final = (
    "- {name: FRONTAGE_ACCEPT, value: api_key}",
    "- {name: FRONTAGE_KEYS_URL, valueFrom: {secretKeyRef: {name: api-keys, key: url}}}",
)


def with_keys(manifest: str) -> str:
    """Return a manifest whose container takes API keys instead of tokens."""
    return _LISTEN.sub(lambda found: found[0] + "".join(f"{found[1]}{line}\n" for line in _KEYS), manifest, count=1)


def derive(text: str, rename: Callable[[str], str], fields: Collection[str]) -> str:
    """Return a deployment file of the model for a BFF with these settings."""
    kept = "".join(_without_foreign(text.splitlines(keepends=True), fields))
    return rename(kept.replace(MODEL, "newcomer").replace(MODEL.capitalize(), "Newcomer").replace(MODEL_PORT, "8009"))


def _without_foreign(lines: list[str], fields: Collection[str]) -> Iterator[str]:
    known = [line for line in lines if (found := _VARIABLE.match(line)) and found[1].lower() in fields]
    hosts = {found for line in known for found in re.findall(r"://([\w-]+)", line)} | _ALWAYS
    above: list[str] = []  # comments, which go with the line that they are about
    foreign = False
    for line in lines:
        if foreign and line.lstrip().startswith("ports:"):  # of a call that is gone
            foreign = False
            continue
        variable, call = _VARIABLE.match(line), _MAY_CALL.match(line)
        foreign = bool(call) and call[1] not in hosts if call else False
        if line.lstrip().startswith("#"):
            above.append(line)
            continue
        if not foreign and not (variable and variable[1].lower() not in fields):
            yield from (*above, line)
        above = []
    yield from above
