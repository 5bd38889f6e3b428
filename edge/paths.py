"""Paths: the template ``/users/{id}/orders`` is exact, ``/mobile/{**rest}`` takes the rest; or a regular expression.

Owns their grammar, their order, and their form in Envoy's words. A prefix never cuts a segment (field case E2).
"""

import re
from dataclasses import dataclass, field
from typing import Final

from edge.spec.routes import MatchSpec

_SEGMENT: Final = re.compile(r"[A-Za-z0-9._~!$&'()*+,=:@-]+")  # RFC 3986 unreserved and sub-delims; ';' is refused (E1)
_PARAMETER: Final = re.compile(r"\{[A-Za-z_][A-Za-z0-9_-]*\}")
_REST: Final = re.compile(r"\{\*\*[A-Za-z_][A-Za-z0-9_-]*\}")

_SPECIAL: Final = re.compile(r"[.^$*+?{}()\[\]|\\]")

# Ranks of segments: earlier wins.
LITERAL, PARAMETER, END, PATTERN, REST = range(5)


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A parsed template: literal segments, ``None`` for a parameter, and whether it takes the rest."""

    segments: tuple[str | None, ...]
    rest: bool
    names: tuple[str, ...] = field(default=(), compare=False)

    def rank(self) -> tuple[tuple[int, ...], ...]:
        """Sort key: segment by segment, a literal before a parameter before the end before the rest."""
        ranks = tuple((LITERAL,) if segment is not None else (PARAMETER,) for segment in self.segments)
        return (*ranks, (REST,) if self.rest else (END,))

    def under(self, prefix: str) -> bool:
        """Whether every path of the template is ``prefix`` itself or lies below it."""
        wanted = prefix.strip("/").split("/")
        return list(self.segments[: len(wanted)]) == wanted

    def takes(self, path: str) -> bool:
        """Whether a normalised request path matches."""
        parts = path.strip("/").split("/") if path.strip("/") else []
        if len(parts) < len(self.segments) or (not self.rest and len(parts) > len(self.segments)):
            return False
        return all(wanted in (None, part) for wanted, part in zip(self.segments, parts, strict=False))

    def envoy_match(self) -> dict[str, object]:
        """Return the path part of Envoy's route match."""
        if None not in self.segments:
            path = "/" + "/".join(str(segment) for segment in self.segments)
            if not self.rest:
                return {"path": path}
            # path_separated_prefix: a plain prefix would match /v2example for /v2
            return {"path_separated_prefix": path} if self.segments else {"prefix": "/"}
        parts = "".join("/[^/]+" if segment is None else "/" + re.escape(segment) for segment in self.segments)
        return {"safe_regex": {"regex": parts + ("(?:/.*)?" if self.rest else "")}}

    def envoy_rewrite(self, to: "PathTemplate") -> dict[str, object]:
        """Return Envoy's rewrite of what this takes to ``to``, whose names must be this one's."""
        parts = "".join("/([^/]+)" if segment is None else "/" + re.escape(segment) for segment in self.segments)
        # With its slash, unless the rest alone is left: an empty path is none.
        rest = "(/.*)?$" if to.segments else "(?:/(.*))?$"
        pattern = "^" + parts + (rest if self.rest else "$")
        places = {name: f"\\{number}" for number, name in enumerate(self.names, 1)}
        names = iter(to.names)
        made = "".join("/" + (places[next(names)] if segment is None else segment) for segment in to.segments)
        if to.rest:
            made += places[next(names)] if to.segments else "/" + places[next(names)]
        return {"pattern": {"regex": pattern}, "substitution": made or "/"}


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A regular expression over the whole path (RE2). Ranks by the plain segments before it, ahead of ``{**rest}``."""

    regex: str

    def rank(self) -> tuple[tuple[int, ...], ...]:
        """Sort key, comparable with a template's."""
        plain = _SPECIAL.split(self.regex, maxsplit=1)[0]
        return (*((LITERAL,) for _ in plain.split("/")[1:-1]), (PATTERN,))

    def under(self, prefix: str) -> bool:  # noqa: ARG002 - a template's shape
        """Return False: an alternative of the expression may lead anywhere."""
        return False

    def takes(self, path: str) -> bool:
        """Whether a normalised request path matches."""
        return re.fullmatch(self.regex, path) is not None

    def envoy_match(self) -> dict[str, object]:
        """Return the path part of Envoy's route match."""
        return {"safe_regex": {"regex": self.regex}}


def path_of(match: MatchSpec) -> PathTemplate | PathPattern:
    """Return the path of a match; raises ``ValueError`` like ``parse_path``."""
    return PathPattern(match.regex) if match.regex is not None else parse_path(match.path)


def parse_path(text: str) -> PathTemplate:
    """Parse a template; raises ``ValueError`` saying what no request path can look like."""
    if not text.startswith("/"):
        raise ValueError("it must begin with '/'")
    if text == "/":
        return PathTemplate((), rest=False)
    segments: list[str | None] = []
    names: list[str] = []
    parts = text[1:].split("/")
    for position, part in enumerate(parts):
        if _REST.fullmatch(part):
            if position != len(parts) - 1:
                raise ValueError(f"{part} must be the last segment")
            return PathTemplate(tuple(segments), rest=True, names=(*names, part[3:-1]))
        segments.append(_segment(part))
        if segments[-1] is None:
            names.append(part[1:-1])
    return PathTemplate(tuple(segments), rest=False, names=tuple(names))


def _segment(part: str) -> str | None:
    if _PARAMETER.fullmatch(part):
        return None
    if part in ("", ".", ".."):
        raise ValueError(f"no request has the segment {part!r}: paths are normalised first")
    if not _SEGMENT.fullmatch(part):
        raise ValueError(f"{part!r} is neither a plain segment nor {{name}} nor {{**rest}}")
    return part
