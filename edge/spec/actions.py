"""What a route does beside handing on: redirects, answers, a copy for another cluster, headers, retries, a rank."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from edge.spec.base import Spec, Token
from shared.resilience.priority import Priority

# One line of visible characters; what else a header cannot hold (RFC 9110 §5.5).
HeaderValue = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?$")]
AbsolutePath = Annotated[str, StringConstraints(pattern=r"^/")]


class RedirectSpec(Spec):
    """Sends the client elsewhere; what is not given stays as it was asked for."""

    host: str | None = None
    # The whole path; ``prefix`` changes only what stands before ``{**rest}``.
    path: AbsolutePath | None = None
    prefix: AbsolutePath | None = None
    # 308 and 307 keep method and body (RFC 9110 §15.4.9).
    status: Literal[301, 302, 303, 307, 308] = 308
    keep_query: bool = True

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if self.host is None and self.path is None and self.prefix is None:
            raise ValueError("give 'host', 'path' or 'prefix': it would lead to itself")
        if self.path is not None and self.prefix is not None:
            raise ValueError("give either 'path' or 'prefix'")
        return self


class RespondSpec(Spec):
    """Answers at the edge. From 400 on the answer is a problem, whatever the body."""

    status: Annotated[int, Field(ge=200, le=599)]
    body: Annotated[str, StringConstraints(max_length=4096)] = ""
    content_type: HeaderValue = "text/plain; charset=utf-8"


class MirrorSpec(Spec):
    """A share of the requests is sent to another cluster as well; nobody waits for its answer."""

    cluster: str
    percent: Annotated[float, Field(gt=0, le=100)] = 100


class HeaderEditSpec(Spec):
    """Headers to set (instead of what is there), to add beside it, to remove. Values stand as written."""

    set: dict[Token, HeaderValue] = Field(default_factory=dict)
    add: dict[Token, HeaderValue] = Field(default_factory=dict)
    remove: tuple[Token, ...] = ()


class HeadersSpec(Spec):
    """Changes on the way to the upstream, and on the way back."""

    request: HeaderEditSpec = HeaderEditSpec()
    response: HeaderEditSpec = HeaderEditSpec()


class RetrySpec(Spec):
    """Another try at the edge, for an upstream that does not retry by itself.

    ``unreachable``: nothing was sent, or the upstream refused the stream unread; safe for every method.
    ``unavailable``: it answered 503; only where the upstream promises that it did nothing.
    """

    attempts: Annotated[int, Field(gt=0, le=3)] = 1
    on: Annotated[tuple[Literal["unreachable", "unavailable"], ...], Field(min_length=1)] = ("unreachable",)


class PrioritySpec(Spec):
    """What a route's requests may say they are worth (``shared/resilience/priority.py``): never more than ``cap``."""

    cap: Literal["user", "refresh", "prefetch"] = "user"

    @property
    def rank(self) -> Priority:
        """The cap as the BFFs read it."""
        return Priority[self.cap.upper()]
