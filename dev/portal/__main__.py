"""``python -m dev.portal``: the portal, until it is told to stop."""

from dev.portal.app import create_app
from dev.portal.settings import PortalSettings
from shared.asgi.serve import serve

if __name__ == "__main__":
    settings = PortalSettings()
    serve(create_app(settings), settings)
