"""Makes a BFF from a template, and takes one away: files, image and manifests, entries, lock, contract.

Owns the order of the steps. A name that will not do is refused before anything is written.
"""

import importlib
import keyword
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import yaml

from dev.scaffold.deploy import FILES, MODEL, derive, with_keys
from dev.scaffold.entries import entries, ports_in
from dev.scaffold.splice import SpliceError

CONTRACTS: Final = {"rest": "openapi.json", "graphql": "schema.graphql"}
FIRST_PORT: Final = 8003
# A name is a package, a path, a host and a variable at once.
NAME: Final = re.compile(r"[a-z][a-z0-9]{1,19}")
TEMPLATES: Final = "dev/scaffold"
TEMPLATE_TESTS: Final = "tests/dev/scaffold"

Say = Callable[[str], None]


class ScaffoldError(Exception):
    """A BFF that cannot be made or taken away; the message says why, and what would do."""


def create(root: Path, name: str, style: str, say: Say, accept: str = "jwt") -> None:
    """Add the BFF ``name``; ``accept``: what its callers show, ``jwt`` or ``api_key``. Raises ScaffoldError."""
    _refuse(root, name)
    port = _free_port(root)
    rename = renaming(name, style, port)
    places = (f"bffs/{name}", f"tests/bffs/{name}")
    for source, target in zip((TEMPLATES, TEMPLATE_TESTS), places, strict=True):
        copy(root / source / style, root / target, rename)
        say(f"{target}/")
    settings = importlib.import_module(f"dev.scaffold.{style}.settings").NewcomerSettings
    for name_of_file in FILES:
        text = (root / "bffs" / MODEL / name_of_file).read_text(encoding="utf-8")
        (root / places[0] / name_of_file).write_text(derive(text, rename, settings.model_fields), encoding="utf-8")
    if accept == "api_key":
        _edit(root / places[0] / "edge.yaml", lambda text: text.replace("auth: customers", f"auth: {name}-keys"))
        _edit(root / places[0] / "k8s.yaml", with_keys)
    for entry in entries(rename, accept):
        _edit(root / entry.file, entry.add)
    _tell_routes(root)
    say("entries in " + ", ".join(dict.fromkeys(entry.file for entry in entries(rename))))
    _run(root, sys.executable, "-m", "ruff", "check", "--quiet", "--fix", *places)
    _run(root, sys.executable, "-m", "ruff", "format", "--quiet", *places)
    _run(root, "make", "lock-one", f"PART=bffs/{name}")
    contract = _run(root, sys.executable, "-m", f"bffs.{name}", "contract")
    (root / "bffs" / name / CONTRACTS[style]).write_text(contract, encoding="utf-8")
    say(f"bffs/{name}/requirements.lock, bffs/{name}/{CONTRACTS[style]}")


def destroy(root: Path, name: str, say: Say) -> None:
    """Take the BFF ``name`` away. Raises ScaffoldError; what was edited beyond recognition is said, and stays."""
    folder = root / "bffs" / name
    if not NAME.fullmatch(name) or not folder.is_dir():
        known = ", ".join(sorted(path.parent.name for path in root.glob("bffs/*/pyproject.toml")))
        raise ScaffoldError(f"there is no bffs/{name}; there are: {known}")
    left = []
    accept = "api_key" if f"{name}-keys:" in (root / "edge" / "edge.yaml").read_text(encoding="utf-8") else "jwt"
    for entry in entries(renaming(name, "rest", _port_of(root, name)), accept):
        try:
            _edit(root / entry.file, entry.take)
        except SpliceError as error:
            left.append(f"{entry.file}: {error}")
    for place in (folder, root / "tests" / "bffs" / name):
        shutil.rmtree(place, ignore_errors=True)
        say(f"{place.relative_to(root)}/ is gone")
    _tell_routes(root)
    if left:
        raise ScaffoldError("look at these by hand:\n" + "\n".join(f"  {one}" for one in left))


def renaming(name: str, style: str, port: int) -> Callable[[str], str]:
    """Return what turns the template's text into the BFF's."""
    words = (
        (f"{TEMPLATE_TESTS}/{style}", f"tests/bffs/{name}"),
        (f"{TEMPLATES}/{style}", f"bffs/{name}"),
        (f"dev.scaffold.{style}", f"bffs.{name}"),
        ("newcomer", name), ("Newcomer", name.capitalize()), ("NEWCOMER", name.upper()), ("8009", str(port)),
    )  # fmt: skip

    def rename(text: str) -> str:
        for old, new in words:
            text = text.replace(old, new)
        return text

    return rename


def _refuse(root: Path, name: str) -> None:
    services = yaml.safe_load((root / "compose.yaml").read_text(encoding="utf-8"))["services"]
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise ScaffoldError(f"{name!r} will not do: 2 to 20 small letters and digits, as in partner")
    if name in services or (root / "bffs" / name).exists() or name == "newcomer":
        raise ScaffoldError(f"{name!r} is taken; take another than {', '.join(services)}")


def _free_port(root: Path) -> int:
    taken = ports_in((root / "compose.yaml").read_text(encoding="utf-8"))
    return next(port for port in range(FIRST_PORT, 8100) if port not in taken)


def _port_of(root: Path, name: str) -> int:
    service = yaml.safe_load((root / "compose.yaml").read_text(encoding="utf-8"))["services"].get(name, {})
    return int(str(service.get("ports", [FIRST_PORT])[0]).rpartition(":")[2])


def copy(source: Path, target: Path, rename: Callable[[str], str]) -> None:
    """Write the template at ``source`` as ``target``, under its new name."""
    for file in _files(source):
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(rename(file.read_text(encoding="utf-8")), encoding="utf-8")


def _files(folder: Path) -> Iterator[Path]:
    return (one for one in sorted(folder.rglob("*")) if one.is_file() and "__pycache__" not in one.parts)


def _edit(file: Path, change: Callable[[str], str]) -> None:
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")


def _tell_routes(root: Path) -> None:
    """Write down anew what the edge says of its routes, for the portal."""
    told = _run(root, "env", "FRONTAGE_MODE=local", sys.executable, "-m", "edge", "routes")
    (root / "edge" / "generated" / "routes.json").write_text(told, encoding="utf-8")


def _run(root: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ScaffoldError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout
