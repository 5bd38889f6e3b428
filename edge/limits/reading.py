"""From an edge's request to checks: which policy, which counter, at which cost.

Owns the counters' names. A counter is found by a digest of the policy's shape and every key part with its length, so
no part can imitate another, none is too long, and no address or subject stands in the store. What was read is kept:
a client's requests are, byte for byte, the one before.
"""

from hashlib import blake2b
from typing import Final

from shared.limits.decide import Check
from shared.limits.messages import Descriptor, read_descriptor, read_request
from shared.limits.policy import DOMAIN, POLICY_KEY, LimitPolicy, parse_policy
from shared.protobuf import MalformedMessage

# About 20 MB at the usual half kilobyte; beyond it the whole is forgotten and read again, a microsecond a piece.
MAX_KNOWN: Final = 20_000
MAX_KNOWN_SIZE: Final = 1024
# A counter's digest: at 10^9 live counters, two of the same name are a matter of 10^-21.
DIGEST_BYTES: Final = 16
# 32 bits: more than any limit may be (edge/spec), less than what would make sums inexact in the store.
MAX_COST: Final = 2**32


class CheckReader:
    """Reads requests; remembers the last ones."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[Check, ...]] = {}

    def read(self, message: bytes) -> tuple[Check, ...]:
        """Return the checks of a RateLimitRequest, in the order of its descriptors. Raises MalformedMessage."""
        checks = self._known.get(message)
        if checks is None:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            checks = _checks(message)
            if len(message) <= MAX_KNOWN_SIZE:
                self._known[message] = checks
        return checks


def _checks(message: bytes) -> tuple[Check, ...]:
    request = read_request(message)
    if request.domain != DOMAIN:
        raise MalformedMessage("another domain")
    checks = tuple(check_of(read_descriptor(one), request.cost) for one in request.descriptors)
    if len({check.key for check in checks}) < len(checks):  # charged one after the other, they would not see each other
        raise MalformedMessage("one limit twice")
    return checks


def check_of(descriptor: Descriptor, cost: int) -> Check:
    """Read one descriptor; ``cost`` is for one that names none. Raises MalformedMessage."""
    if not descriptor.entries or descriptor.entries[0][0] != POLICY_KEY:
        raise MalformedMessage("a descriptor begins with its limit")
    try:
        policy = parse_policy(descriptor.entries[0][1])
    except ValueError as error:
        raise MalformedMessage(str(error)) from error
    cost = cost if descriptor.cost is None else descriptor.cost
    if cost > MAX_COST:
        raise MalformedMessage("too high a cost")
    return Check(policy, counter(policy, descriptor.entries[1:]), cost)


def counter(policy: LimitPolicy, parts: tuple[tuple[str, str], ...]) -> str:
    """Return the name under which the store counts."""
    digest = blake2b(digest_size=DIGEST_BYTES)
    for word in (policy.memory, *(word for part in parts for word in part)):
        encoded = word.encode(errors="surrogateescape")
        digest.update(len(encoded).to_bytes(4, "big") + encoded)
    return f"frontage:limits:{digest.hexdigest()}"
