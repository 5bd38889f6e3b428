"""``python -m bffs.<name>``: serve; ``… contract``: print what clients are made from; ``… explain``: what screens cost.

Owns these words for BFFs that have no others. A BFF with commands of its own writes its own ``__main__``.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from fastapi import FastAPI

from shared.asgi.serve import serve
from shared.backends.explain import report
from shared.settings import BffSettings

S = TypeVar("S", bound=BffSettings)

WRONG: Final = 2
# The contract does not depend on where things are.
NOWHERE: Final = "http://backend.invalid"


def run_bff(
    arguments: list[str], *, main: str, settings: type[S], create_app: Callable[[S], FastAPI],
    contract: Callable[[FastAPI], str],
) -> int:  # fmt: skip
    """Do what the arguments ask for; returns the exit code. ``main`` is the file of the BFF's ``__main__``."""
    folder = Path(main).parent
    if arguments == ["contract"]:
        sys.stdout.write(contract(create_app(nowhere(settings))))
        return 0
    if arguments == ["explain"]:
        text, well = report(f"bffs.{folder.name}", (folder / "edge.yaml").read_text(encoding="utf-8"))
        sys.stdout.write(text)
        return 0 if well else 1
    if arguments:
        sys.stderr.write(f"usage: python -m bffs.{folder.name} [contract | explain]\n")
        return WRONG
    read = settings()
    serve(create_app(read), read)
    return 0


def nowhere(settings: type[S]) -> S:
    """Return settings that lead nowhere, with everything that is required."""
    urls = {name: NOWHERE for name, field in settings.model_fields.items() if field.is_required()}
    return settings.model_validate({**urls, "issuer": NOWHERE, "jwks_url": NOWHERE, "listen": "127.0.0.1:8000"})


def openapi(app: FastAPI) -> str:
    """Return the committed form of ``openapi.json``."""
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"
