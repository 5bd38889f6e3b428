"""A FastAPI app whose OpenAPI document client generators can live with, and which serves no pages of its own.

Owns what is the same in every REST contract of the family: names of operations, where it is served, its licence.
"""

from typing import Final

from fastapi import FastAPI

from shared.settings import ServiceSettings

# Relative to where the document is served: the edge's address differs from place to place, the paths do not.
SERVERS: Final = [{"url": "/", "description": "The edge"}]
LICENSE: Final = {"name": "Apache-2.0", "identifier": "Apache-2.0"}


def rest_app(title: str, settings: ServiceSettings, description: str = "") -> FastAPI:
    """Return an app without documentation pages and without redirects."""
    return FastAPI(
        title=title,
        description=description,
        version=settings.version,
        servers=SERVERS,
        license_info=LICENSE,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would name the host that the client sent
        generate_unique_id_function=lambda route: route.name,  # clients are generated: names they can live with
    )
