"""Every typed client of every contract, and every finding about an OpenAPI document.

Owns which file is made of which: ``bffs/<name>/openapi.json`` and ``schema.graphql`` become
``dev/clients/generated/<name>.ts``; the documents of a graph are those of its client's code.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dev.clients.workshop import ROOT, run_script

GENERATED: Final = Path("dev/clients/generated")
# Whose code asks which graph. A graph that nobody of ours asks gets its types alone.
DOCUMENTS: Final[Mapping[str, str]] = {"web": "dev/web-demo/documents"}


def contracts(root: Path = ROOT) -> list[Path]:
    """Return every committed contract of a BFF, by name."""
    return sorted([*root.glob("bffs/*/openapi.json"), *root.glob("bffs/*/schema.graphql")])


def make_clients(out: Path, root: Path = ROOT) -> list[Path]:
    """Write a typed client for each contract into ``out``; returns the files. Raises WorkshopError."""
    out.mkdir(parents=True, exist_ok=True)
    made = []
    for contract in contracts(root):
        target = out / f"{contract.parent.name}.ts"
        folder = root / DOCUMENTS.get(contract.parent.name, "nowhere")
        run_script("typescript.mjs", str(contract), str(target), "--", *map(str, sorted(folder.glob("*.graphql"))))
        made.append(target)
    return made


def findings(root: Path = ROOT) -> list[str]:
    """Return what Redocly's recommended rules find in the OpenAPI documents, a line each. Raises WorkshopError."""
    files = [str(one) for one in contracts(root) if one.suffix == ".json"]
    found = json.loads(run_script("judge.mjs", *files))
    return [
        f"{Path(one['file']).relative_to(root)}: {one['severity']} {one['rule']} at {one['where']}: {one['message']}"
        for one in found
    ]
