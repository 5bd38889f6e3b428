"""``python -m edge.limits`` serves."""

from edge.limits.app import create_app
from edge.limits.settings import LimitsSettings
from shared.asgi.serve import serve


def main() -> None:
    """Serve until a signal."""
    settings = LimitsSettings()
    serve(create_app(settings), settings)


if __name__ == "__main__":
    main()
