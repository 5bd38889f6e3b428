"""``python -m bffs.web`` serves.

``… contract`` prints the SDL, ``… documents FOLDER`` a client's manifest, ``… explain`` what answers can cost.
"""

import json
import sys
from pathlib import Path
from typing import Final

from bffs.web.app import create_app
from bffs.web.documents import manifest_of
from bffs.web.prepare import Preparer
from bffs.web.schema import schema
from bffs.web.settings import WebSettings
from shared.asgi.serve import serve
from shared.backends.explain import report

USAGE: Final = "usage: python -m bffs.web [contract | documents FOLDER | explain]\n"


def main(arguments: list[str]) -> int:
    """Serve, or print what was asked for; 0 when all is well, 1 for a finding, 2 for arguments that say nothing."""
    match arguments:
        case []:
            settings = WebSettings()
            serve(create_app(settings), settings)
            return 0
        case ["contract"]:
            sys.stdout.write(schema.as_str() + "\n")
            return 0
        case ["documents", folder]:
            return _documents(Path(folder))
        case ["explain"]:
            text, well = report("bffs.web", (Path(__file__).parent / "edge.yaml").read_text())
            sys.stdout.write(text)
            return int(not well)
        case _:
            sys.stderr.write(USAGE)
            return 2


def _documents(folder: Path) -> int:
    try:
        manifest = manifest_of(folder, Preparer(schema, open_schema=False))
    except ValueError as faults:
        sys.stderr.write(f"{faults}\n")
        return 1
    sys.stdout.write(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
