"""Words for amounts: ``3s``, ``1MiB``, ``0.0.0.0:8443``.

Owns reading them, so that no bare number of unknown unit gets into the spec.
"""

import re
from datetime import timedelta
from typing import Annotated, Final, NamedTuple

from pydantic import BeforeValidator, WithJsonSchema

MILLISECONDS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
BYTES: Final = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}

_AMOUNT: Final = re.compile(r"(?P<number>\d{1,9})(?P<unit>[a-zA-Z]+)")
_ADDRESS: Final = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(?P<port>\d{1,5})")


class Address(NamedTuple):
    """Host (or IP literal, without brackets) and port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _amount(value: object, units: dict[str, int], example: str) -> int:
    found = _AMOUNT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or found["unit"] not in units:
        raise ValueError(f"write a number with a unit ({', '.join(units)}), e.g. {example}")
    return int(found["number"]) * units[found["unit"]]


def parse_duration(value: object) -> timedelta:
    """Read ``250ms``, ``3s``, ``1m``, ``24h``, ``365d``."""
    return timedelta(milliseconds=_amount(value, MILLISECONDS, "3s"))


def parse_size(value: object) -> int:
    """Read ``64KiB``, ``1MiB`` as bytes."""
    return _amount(value, BYTES, "1MiB")


def parse_address(value: object) -> Address:
    """Read ``0.0.0.0:8443``, ``[::1]:8443``, ``mobile:8001``."""
    found = _ADDRESS.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or not 0 < int(found["port"]) < 2**16:
        raise ValueError("write host:port, e.g. 0.0.0.0:8443")
    return Address(found["host"].strip("[]"), int(found["port"]))


def parse_names(value: object) -> object:
    """Accept a comma-separated line for a list, so that one environment variable can fill it."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _written(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern})


Duration = Annotated[timedelta, BeforeValidator(parse_duration), _written(r"^\d{1,9}(ms|s|m|h|d)$")]
Size = Annotated[int, BeforeValidator(parse_size), _written(r"^\d{1,9}(B|KiB|MiB|GiB)$")]
ListenAddress = Annotated[Address, BeforeValidator(parse_address), _written(r"^(\[[0-9a-fA-F:.]+\]|[\w.-]+):\d{1,5}$")]
# What ``parse_names`` reads.
LIST_OR_LINE: Final = WithJsonSchema({"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]})
