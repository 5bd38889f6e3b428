"""``python -m dev.identity``."""

from dev.identity.app import create_app
from dev.identity.settings import IdentitySettings
from shared.asgi.serve import serve


def main() -> None:
    """Serve until a signal."""
    settings = IdentitySettings()
    serve(create_app(settings), settings)


if __name__ == "__main__":
    main()
