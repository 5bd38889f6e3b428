"""The small service as a process of its own: ``python -m tests.shared.asgi.served``. Its log says where it listens."""

from shared.asgi.serve import serve
from shared.settings import ServiceSettings
from tests.shared.asgi.service import make_app

if __name__ == "__main__":
    settings = ServiceSettings()
    serve(make_app(drain_delay=settings.drain_delay), settings)
