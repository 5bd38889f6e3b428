"""From what a client sent to what may be executed: the document is trusted or allowed, well formed, and paid for.

Owns the order, the same for every transport:

    the text (``trusted.py``) → prepared (``prepare.py``) → within the caller's most → charged (``shared/limits/``)

Nothing is charged for what is refused before, and nothing is executed that was not charged.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from graphql import GraphQLError

from bffs.web.limits import CallerPolicies, CallerPolicy
from bffs.web.operation import Operation
from bffs.web.prepare import Prepared, Preparer, Refused
from bffs.web.trusted import TrustedDocuments
from shared.asgi.caller import FetchSections
from shared.errors import ProblemCode, ProblemError
from shared.identity.principal import Principal
from shared.limits.charging import Charger


class Admitted(NamedTuple):
    """What may be executed, with its variables, and what it costs."""

    prepared: Prepared
    variables: Mapping[str, Any]
    cost: int
    policy: CallerPolicy

    @property
    def told(self) -> dict[str, Any]:
        """What ``extensions`` says of it."""
        return {"cost": {"operation": self.cost, "most": self.policy.most_cost}}


class Admission:
    """Judges operations."""

    def __init__(
        self, documents: TrustedDocuments, preparer: Preparer, policies: CallerPolicies, charger: Charger
    ) -> None:
        self.documents = documents
        self._preparer = preparer
        self._policies = policies
        self._charger = charger

    async def admit(
        self, operation: Operation, user: Principal, fetch: FetchSections, *, only: str | None = None
    ) -> Admitted:
        """Return what may be executed: an operation of the kind ``only``, where that is given.

        Raises Refused, whose errors say to its author what is wrong with a document; ProblemError for what the request
        itself may not: an operation of another kind (405), or more than is left of the caller's minute (429).
        """
        policy = self._policies.of(user)
        try:
            text = self.documents.text(operation.query, operation.document_id, may_send_text=policy.may_send_text)
        except ProblemError as problem:
            raise Refused(GraphQLError(problem.detail, original_error=problem)) from None
        prepared = self._preparer.prepare(text, operation.name)
        cost = prepared.cost.of(operation.variables)
        if cost > policy.most_cost:
            told = f"The operation may cost {cost}, and {policy.most_cost} is the most: ask for fewer or shorter lists."
            raise Refused(GraphQLError(told))
        if only is not None and prepared.kind != only:
            told = f"GET is for a {only}: POST this."
            raise ProblemError(ProblemCode.METHOD_NOT_ALLOWED, told, headers={"allow": "POST"})
        await self._charger.charge(fetch, policy.charge, (("subject", user.subject),), cost)
        return Admitted(prepared, operation.variables, cost, policy)
