"""``python -m dev.backends users``, ``orders`` or ``alerts``."""

import sys

from dev.backends.app import create_app
from dev.backends.database import NotSampleData
from dev.backends.routes import ROUTERS
from dev.backends.settings import BackendSettings
from shared.asgi.serve import serve


def main(arguments: list[str]) -> int:
    """Serve the backend named."""
    if len(arguments) != 1 or arguments[0] not in ROUTERS:
        sys.stderr.write(f"usage: python -m dev.backends {'|'.join(ROUTERS)}\n")
        return 2
    settings = BackendSettings()
    try:
        app = create_app(arguments[0], settings)
    except NotSampleData as error:
        sys.stderr.write(f"{error}\n")
        return 1
    serve(app, settings)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
