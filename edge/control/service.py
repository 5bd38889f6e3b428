"""One question of an edge, one answer: may this request pass, and what shall its upstream know of the caller.

Owns the answers. A refusal carries status, words and challenge; the edge makes the problem of it (``edge/envoy``).
"""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final, Protocol
from urllib.parse import quote

from edge.control import messages
from edge.control.judging import CredentialJudge
from edge.control.minting import Mint
from edge.control.policy import POLICY_KEY, RoutePolicy, parse_policy
from shared.errors import ProblemError
from shared.grpc.calls import INVALID_ARGUMENT, GrpcError, Handler, Reply
from shared.identity.credential import API_KEY_HEADER, Credential, CredentialKind, read_credential
from shared.identity.internal import HEADER
from shared.identity.principal import Principal
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

CHECK: Final = b"/envoy.service.auth.v3.Authorization/Check"
HEALTH: Final = b"/grpc.health.v1.Health/Check"
SERVING: Final = b"\x08\x01"
NOT_SERVING: Final = b"\x08\x02"

# What an upstream that believes the edge no longer gets to see.
CREDENTIALS: Final = ("authorization", API_KEY_HEADER, "cookie")
# When a key that has a successor stops to count, on every answer to its calls.
RETIRES: Final = "x-api-key-retires"
# A route has one policy, a fleet some hundreds of routes.
MAX_POLICIES: Final = 10_000


class Counting(Protocol):
    """Is told of every answer; metrics listen here."""

    def judged(self, kind: str, outcome: str) -> None:
        """Count one."""


class ControlService:
    """``Check`` over a judge and a mint."""

    def __init__(self, judge: CredentialJudge, mint: Mint, counting: Counting) -> None:
        self._judge = judge
        self._mint = mint
        self._counting = counting
        self._policies: dict[str, RoutePolicy] = {}
        self._asking: set[asyncio.Task[None]] = set()

    def check(self, message: bytes, reply: Reply) -> None:
        """Answer a CheckRequest, at once where nobody need be asked. Raises GrpcError for what no edge of ours says."""
        try:
            question = messages.read_question(message)
            policy = self._policy(question.context.get(POLICY_KEY, ""))
        except ValueError as error:  # MalformedMessage is one
            raise GrpcError(INVALID_ARGUMENT, str(error)) from error
        headers = question.headers
        kind = "none"
        try:
            credential = read_credential(headers.get("authorization"), headers.get(API_KEY_HEADER), policy.accept)
            kind = credential.kind.value
            principal = self._judge.at_once(credential, policy)
            answer = None if principal is None else self._pass(principal, policy)
        except ProblemError as problem:
            self._counting.judged(kind, problem.code)
            reply(refusal(problem))
            return
        if answer is not None:
            self._counting.judged(kind, "passed")
            reply(answer)
            return
        asking = asyncio.get_running_loop().create_task(self._ask(credential, policy, reply))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)

    async def close(self) -> None:
        """Answer what is under way no more."""
        for one in tuple(self._asking):
            one.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)

    async def _ask(self, credential: Credential, policy: RoutePolicy, reply: Reply) -> None:
        outcome = "passed"
        try:
            answer = self._pass(await self._judge.judge(credential, policy), policy)
        except ProblemError as problem:
            outcome, answer = problem.code, refusal(problem)
        except Exception:
            log.exception("judging_failed")
            outcome, answer = "internal", messages.write_refusal(500, "", ())
        self._counting.judged(credential.kind.value, outcome)
        reply(answer)

    def _policy(self, text: str) -> RoutePolicy:
        policy = self._policies.get(text)
        if policy is None:
            policy = parse_policy(text)
            if len(self._policies) >= MAX_POLICIES:
                self._policies.clear()
            self._policies[text] = policy
        return policy

    def _pass(self, principal: Principal, policy: RoutePolicy) -> bytes:
        metadata = {"subject": named(principal, principal.subject), "client": named(principal, principal.client_id)}
        told = [(RETIRES, _date(principal.expires_at))] if principal.retiring else []
        if policy.mode == "verify":
            return messages.write_pass(metadata, downstream=told)
        if policy.mode == "internal":
            upstream = [(HEADER, self._mint.token(principal, policy))]
        else:
            upstream = list(plain_headers(principal))
        return messages.write_pass(metadata, upstream=upstream, removed=CREDENTIALS, downstream=told)


def refusal(problem: ProblemError) -> bytes:
    """Write the answer for a problem."""
    headers = dict(problem.headers or {})
    if problem.retry_after is not None:
        headers["retry-after"] = str(max(1, round(problem.retry_after.total_seconds())))
    return messages.write_refusal(problem.status, problem.detail, headers.items())


def named(principal: Principal, name: str) -> str:
    """Say who it is so that no user of one issuer counts as another's, nor as a partner with a key."""
    return f"{principal.kind if principal.kind is CredentialKind.API_KEY else principal.issuer} {name}"


def plain_headers(principal: Principal) -> Iterator[tuple[str, str]]:
    """Yield what a BFF in mode ``edge`` is told. Percent-encoded: no name can be two, or end a header."""
    yield "x-auth-sub", quote(principal.subject, safe="")
    yield "x-auth-client", quote(principal.client_id, safe="")
    yield "x-auth-scope", quote(" ".join(sorted(principal.scopes)), safe="")
    yield "x-auth-method", principal.kind.value
    if principal.expires_at < float("inf"):
        yield "x-auth-exp", str(int(principal.expires_at))


def _date(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")


def handlers(service: ControlService, *, ready: Callable[[], bool]) -> dict[bytes, Handler]:
    """Return what the server serves: the question, and gRPC's own whether we are there."""

    def health(_: bytes, reply: Reply) -> None:
        reply(SERVING if ready() else NOT_SERVING)

    return {CHECK: service.check, HEALTH: health}
