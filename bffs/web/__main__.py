"""``python -m bffs.web`` serves; ``python -m bffs.web contract`` prints the SDL."""

import sys

from bffs.web.app import create_app
from bffs.web.schema import schema
from bffs.web.settings import WebSettings
from shared.asgi.serve import serve


def main(arguments: list[str]) -> int:
    """Serve, or print the contract."""
    if arguments == ["contract"]:
        sys.stdout.write(schema.as_str() + "\n")
        return 0
    if arguments:
        sys.stderr.write("usage: python -m bffs.web [contract]\n")
        return 2
    settings = WebSettings()
    serve(create_app(settings), settings)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
