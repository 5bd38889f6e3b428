"""Enums that backends may extend: a value that nobody knew yet is ``OTHER``, never an answer that does not fit.

    class OrderStatus(OpenEnum):
        PLACED = "placed"
        OTHER = "OTHER"

Apps are shipped with the values of their day. What a backend adds later reaches them as ``OTHER``, which they were told
of, in the contract and from the first day.
"""

from enum import StrEnum
from typing import Self


class OpenEnum(StrEnum):
    """A closed list for clients over an open one of a backend. Subclasses have a member ``OTHER``."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        """Take any text for OTHER; what is no text does not fit."""
        other: Self = cls["OTHER"]
        return other if isinstance(value, str) else None
