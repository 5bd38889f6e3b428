"""``python -m edge.control`` serves."""

from edge.control.app import create_app
from edge.control.settings import ControlSettings
from shared.asgi.serve import serve


def main() -> None:
    """Serve until a signal."""
    settings = ControlSettings()
    serve(create_app(settings), settings)


if __name__ == "__main__":
    main()
