"""Asks the real Envoy what it thinks of a compiled edge, before anything is served (``envoy --mode validate``)."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from edge.assembly import Edge
from edge.certificates import certificate_problems
from edge.envoy.compile import compile_edge
from edge.problems import Place, Problem

RULE: Final = "envoy"
# It takes 50 ms; a machine under load may need a hundred times that.
TIMEOUT_S: Final = 30
_NOISE: Final = re.compile(r"^error initializing (?:configuration|config) '[^']*':? ?")


def envoy_path() -> Path:
    """Return the Envoy that stands beside our Python: the one that the lock file pinned."""
    return Path(sys.executable).with_name("envoy")


def envoy_problems(edge: Edge) -> list[Problem]:
    """Return Envoy's own objections; an empty list when it would serve this."""
    whole = compile_edge(edge).whole()
    if certificate_problems(edge):  # then everything but the TLS context is judged
        for listener in whole["static_resources"]["listeners"]:
            for chain in listener["filter_chains"]:
                chain.pop("transport_socket", None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "envoy.json"
        path.write_text(json.dumps(whole), encoding="utf-8")
        command = [str(envoy_path()), "--mode", "validate", "--log-level", "error", "-c", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)  # noqa: S603 - our own Envoy
    if done.returncode == 0:
        return []
    said = _NOISE.sub("", _reason(done.stderr + done.stdout))
    remedy = "this is a fault of the compiler: please report it with the file"
    return [Problem(Place(edge.spec.place.file, 1), RULE, f"Envoy refuses the result: {said}", remedy)]


def _reason(output: str) -> str:
    """Return the last line that says why, without its JSON."""
    lines = [line for line in output.splitlines() if line.strip()]
    for line in reversed(lines):
        try:
            return str(json.loads(line)["event"])
        except (ValueError, KeyError, TypeError):
            if line.startswith("error initializing"):
                return line
    return lines[-1] if lines else "no reason given"
