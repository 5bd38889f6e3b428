"""What a changed file would change: the compiled edge beside what the running one was given.

Compares what Envoy gets, not what a person wrote: a moved line is no change, a new default is one.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from edge.envoy.compile import Compiled
from edge.envoy.words import Json

# A value longer than that is shown by its ends.
SHOWN: Final = 60
MOST_PATHS: Final = 8


def plan(compiled: Compiled, state: Path) -> Iterator[str]:
    """Yield a line for each resource that would be added (+), removed (-) or changed (~), and what changes in it."""
    running = dict(_resources(_read(state)))
    wanted = dict(_resources(compiled.files(str(state.resolve()))))
    for name in sorted({*running, *wanted}):
        before, after = running.get(name), wanted.get(name)
        if before is None:
            yield f"+ {name}"
        elif after is None:
            yield f"- {name}"
        elif before != after:
            yield f"~ {name}"
            changes = list(_changes(before, after, ""))
            yield from changes[:MOST_PATHS]
            if len(changes) > MOST_PATHS:
                yield f"    … and {len(changes) - MOST_PATHS} more"


def _read(state: Path) -> Mapping[str, Json]:
    return {path.name: json.loads(path.read_text()) for path in state.glob("*.json") if not path.name.startswith(".")}


def _resources(files: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """Yield everything that has a name; of a route table each route by itself, for tables are long."""
    seen: Counter[str] = Counter()
    for content in files.values():
        for resource in content.get("resources", []):
            kind = str(resource["@type"]).rpartition(".")[2].lower().replace("routeconfiguration", "routes")
            for host in resource.get("virtual_hosts", []):
                for route in host["routes"]:
                    name = f"route {route['name']} on {' '.join(host['domains'])}"
                    seen[name] += 1  # a route that takes several kinds of credentials is two in Envoy's table
                    yield name if seen[name] == 1 else f"{name} ({seen[name]})", route
            rest = {key: value for key, value in resource.items() if key != "virtual_hosts"}
            yield f"{kind} {resource['name']}", rest


def _changes(before: Any, after: Any, path: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from _changes(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _changes(one, other, f"{path}[{place}]")
    elif before != after:
        yield f"    {path}: {_shown(before)} → {_shown(after)}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if value is not None else "nothing"
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 20]} … {text[-15:]}"
