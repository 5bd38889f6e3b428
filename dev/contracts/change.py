"""One change of a contract, how much it can hurt, and the table of all kinds there are for REST.

Owns the severities. ``request``: what a client sends and the server must go on taking; ``response``: what the server
sends and a client must go on reading. The same edit is harmless in one direction and breaks in the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Literal

Side = Literal["request", "response"]


class Severity(StrEnum):
    """``breaking``: a client that was right stops working; ``dangerous``: it may, if it was written carelessly."""

    BREAKING = "breaking"
    DANGEROUS = "dangerous"
    SAFE = "safe"


BREAKING: Final = Severity.BREAKING
DANGEROUS: Final = Severity.DANGEROUS
SAFE: Final = Severity.SAFE

# kind -> (severity where clients send it, severity where clients read it)
KINDS: Final[dict[str, tuple[Severity, Severity]]] = {
    # An operation has both sides; whatever happens to it as a whole counts as request.
    "operation-removed": (BREAKING, BREAKING),
    "operation-added": (SAFE, SAFE),
    "operation-deprecated": (SAFE, SAFE),
    "operation-renamed": (DANGEROUS, DANGEROUS),  # the wire is the same; generated code calls it otherwise
    "security-added": (BREAKING, BREAKING),
    "security-removed": (SAFE, SAFE),
    "security-alternative-added": (SAFE, SAFE),
    "security-alternative-removed": (BREAKING, BREAKING),
    "scope-added": (BREAKING, BREAKING),
    "scope-removed": (SAFE, SAFE),
    # A parameter that is no longer read is refused, or ignored: then a filter shows what it should have hidden.
    "parameter-removed": (BREAKING, BREAKING),
    "parameter-added": (SAFE, SAFE),
    "parameter-added-required": (BREAKING, BREAKING),
    "parameter-became-required": (BREAKING, BREAKING),
    "parameter-became-optional": (SAFE, SAFE),
    "parameter-style-changed": (BREAKING, BREAKING),
    "body-removed": (BREAKING, BREAKING),
    "body-added": (SAFE, SAFE),
    "body-added-required": (BREAKING, BREAKING),
    "body-became-required": (BREAKING, BREAKING),
    "body-became-optional": (SAFE, SAFE),
    "media-type-removed": (BREAKING, BREAKING),
    "media-type-added": (SAFE, SAFE),
    "status-removed": (BREAKING, BREAKING),
    "status-added": (DANGEROUS, DANGEROUS),  # another success than the one that is read
    "error-status-removed": (SAFE, SAFE),
    "error-status-added": (SAFE, SAFE),
    "header-removed": (BREAKING, BREAKING),
    "header-added": (SAFE, SAFE),
    "header-became-optional": (BREAKING, BREAKING),
    "header-became-required": (SAFE, SAFE),
    # Values.
    "property-removed": (BREAKING, BREAKING),
    "property-added": (SAFE, SAFE),
    "property-added-required": (BREAKING, SAFE),
    "property-became-required": (BREAKING, SAFE),
    "property-became-optional": (SAFE, BREAKING),
    "property-deprecated": (SAFE, SAFE),
    "became-nullable": (SAFE, BREAKING),
    "became-not-nullable": (BREAKING, SAFE),
    "type-changed": (BREAKING, BREAKING),
    "type-widened": (SAFE, BREAKING),
    "type-narrowed": (BREAKING, SAFE),
    "format-changed": (BREAKING, BREAKING),
    "format-added": (BREAKING, SAFE),
    "format-removed": (SAFE, BREAKING),
    "enum-value-removed": (BREAKING, SAFE),
    "enum-value-added": (SAFE, DANGEROUS),  # clients are told to expect others; not all do
    "enum-closed": (BREAKING, SAFE),
    "enum-opened": (SAFE, BREAKING),
    "constant-changed": (BREAKING, BREAKING),
    "pattern-added": (BREAKING, SAFE),
    "pattern-changed": (BREAKING, DANGEROUS),
    "pattern-removed": (SAFE, DANGEROUS),
    "bound-tightened": (BREAKING, SAFE),
    "bound-loosened": (SAFE, DANGEROUS),
    "items-became-unique": (BREAKING, SAFE),
    "items-no-longer-unique": (SAFE, DANGEROUS),
    "unknown-properties-refused": (BREAKING, SAFE),
    "unknown-properties-allowed": (SAFE, SAFE),
    "default-changed": (DANGEROUS, SAFE),  # who left it out now means something else
    "variant-removed": (BREAKING, SAFE),
    "variant-added": (SAFE, DANGEROUS),
    "discriminator-changed": (BREAKING, BREAKING),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change: its kind, where (``Order.amount``, ``GET /mobile/v1/orders ?limit``), and what was and is.

    ``clients`` are the shipped ones that read or send it.
    """

    kind: str
    side: Side
    where: str
    says: str
    severity: Severity
    operations: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What a waiver writes to name it."""
        return f"{self.kind} {self.side} {self.where}"

    def __str__(self) -> str:
        """One line for a person: severity, key, what was and is, who reads it."""
        readers = ", ".join(self.clients) or "no shipped client kept here"
        verb = "read by" if self.side == "response" else "sent by"
        first, more = self.operations[:1], len(self.operations) - 1
        place = f" in {first[0]}" + (f" and {more} more" if more else "") if first else ""
        return f"{self.severity:9} {self.key}: {self.says}{place}; {verb} {readers}"


def rest_change(kind: str, side: Side, where: str, says: str, operation: str) -> Change:
    """Return a change with the severity that the table gives it in this direction."""
    severity = KINDS[kind][0 if side == "request" else 1]
    return Change(kind=kind, side=side, where=where, says=says, severity=severity, operations=(operation,))


def gathered(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Tell a change of a shared schema once, with all operations that it touches; the worst first."""
    found: dict[tuple[str, str], Change] = {}
    for one in changes:
        known = found.get((one.key, one.says))
        operations = tuple(dict.fromkeys((*(known.operations if known else ()), *one.operations)))
        found[one.key, one.says] = replace(one, operations=operations)
    order = list(Severity)
    return tuple(sorted(found.values(), key=lambda one: (order.index(one.severity), one.key)))
