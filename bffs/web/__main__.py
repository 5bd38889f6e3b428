"""``python -m bffs.web`` serves; ``… contract`` prints the SDL; ``… explain`` what its types can cost."""

import sys
from pathlib import Path

from bffs.web.app import create_app
from bffs.web.schema import schema
from bffs.web.settings import WebSettings
from shared.asgi.serve import serve
from shared.backends.explain import report


def main(arguments: list[str]) -> int:
    """Serve, or print the contract, or what every type with sections can cost."""
    if arguments == ["contract"]:
        sys.stdout.write(schema.as_str() + "\n")
        return 0
    if arguments == ["explain"]:
        text, well = report("bffs.web", (Path(__file__).parent / "edge.yaml").read_text())
        sys.stdout.write(text)
        return int(not well)
    if arguments:
        sys.stderr.write("usage: python -m bffs.web [contract | explain]\n")
        return 2
    settings = WebSettings()
    serve(create_app(settings), settings)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
