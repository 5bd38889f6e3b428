"""Field types for what backends send, where plain ``str`` and ``float`` would lose or invent something."""

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer


def _identifier(value: object) -> object:
    """Take text or a whole number: ids beyond 2^53 come as either, and are text for every client."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def _exact(value: object) -> object:
    """Refuse binary floats: 0.1 + 0.2 is no price."""
    if isinstance(value, float):
        raise ValueError("money is a decimal string")  # noqa: TRY004 - pydantic turns ValueError into a finding
    return value


Identifier = Annotated[str, BeforeValidator(_identifier)]
Money = Annotated[Decimal, BeforeValidator(_exact), PlainSerializer(str, return_type=str, when_used="json")]
