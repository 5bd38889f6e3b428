"""What one route asks of a credential, and its form on the wire between edge and control service.

Owns ``RoutePolicy`` and its text, JSON under one name in the context of every question: the compiler writes it, the
control service reads it. Both know nothing else of each other.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from shared.identity.credential import CredentialKind

# The name of the context extension that carries the policy.
POLICY_KEY: Final = "policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerPolicy:
    """Whose JWTs count, for which audience, under which algorithms: the words of ``edge.yaml``."""

    issuer: str
    audience: str
    jwks: str
    algorithms: tuple[str, ...]
    token_type: str
    clock_skew_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePolicy:
    """One route: which kinds it accepts, what they must hold, whom it leads to, and what that one shall get.

    ``claims``: of each named claim, one of the values. ``audience``: the BFF, as API keys and internal tokens name it.
    """

    route: str
    audience: str
    mode: Literal["edge", "verify", "internal"]
    accept: frozenset[CredentialKind]
    scopes: frozenset[str] = frozenset()
    claims: tuple[tuple[str, tuple[str, ...]], ...] = ()
    issuers: tuple[IssuerPolicy, ...] = ()

    def __str__(self) -> str:
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), default=sorted)


def parse_policy(text: str) -> RoutePolicy:
    """Read the text form. Raises ValueError for anything else."""
    try:
        value: dict[str, Any] = json.loads(text)
        issuers = (IssuerPolicy(**{**one, "algorithms": tuple(one["algorithms"])}) for one in value["issuers"])
        return RoutePolicy(**{
            **value,
            "accept": frozenset(map(CredentialKind, value["accept"])),
            "scopes": frozenset(value["scopes"]),
            "claims": tuple((name, tuple(values)) for name, values in value["claims"]),
            "issuers": tuple(issuers),
        })  # fmt: skip
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError("no policy of a route") from error
