"""What a sample backend reads from its environment."""

from pathlib import Path

from shared.settings import ServiceSettings


class BackendSettings(ServiceSettings):
    """``FRONTAGE_DATABASE`` is where the generated file lies, or is to lie."""

    database: Path
