"""Which versions of an app are served, for apps that cannot be redeployed.

    [ios]
    minimum = "3.0"                       # an older one gets 426 upgrade_required
    recommended = "4.2.0"                 # an older one is served, and told:
    deprecated = 2026-10-01T00:00:00Z     #   Deprecation (RFC 9745): since when it is
    sunset = 2027-01-31T00:00:00Z         #   Sunset (RFC 8594): when it is to end
    link = "https://example.com/update"   #   Link, to a person's way to a newer one

Owns the file, its reload and the judgement by ``X-App-Platform`` and ``X-App-Version``. A request that does not say
what it comes from is served. The file is looked at again every few seconds, by a request that says so: a new one counts
from then on, a wrong one is told in the log and the old one goes on.
"""

import re
import tomllib
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from shared.asgi.context import RequestContext
from shared.clock import Clock
from shared.errors import ProblemCode, ProblemError
from shared.telemetry.logs import get_logger

log = get_logger(__name__)

VERSION: Final = b"x-app-version"
PLATFORM: Final = b"x-app-platform"
# One look takes two microseconds; a change that counts within seconds is as good as at once.
LOOK_EVERY_S: Final = 5.0
# Numbers with dots; what comes behind "-" or "+" (a beta, a build) is of that version.
NUMBERS: Final = re.compile(r"(\d{1,6}(?:\.\d{1,6}){0,3})(?:[-+ (].{0,50})?", re.ASCII)

PlainVersion = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6}){0,3}$")]
TABLE: Final = re.compile(r"\s*\[\s*\"?([^\]\"]+?)\"?\s*\]")
Release = tuple[int, ...]
Header = tuple[bytes, bytes]


def release_of(text: str) -> Release | None:
    """Return a version as numbers, without zeros at its end; None for what is none."""
    found = NUMBERS.fullmatch(text.strip())
    if found is None:
        return None
    numbers = [int(one) for one in found[1].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


class PlatformPolicy(BaseModel):
    """What holds for one platform. Raises ValidationError for what cannot hold together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minimum: PlainVersion
    recommended: PlainVersion | None = None
    deprecated: datetime | None = None
    sunset: datetime | None = None
    link: Annotated[str, StringConstraints(pattern=r"^https://[\x21\x23-\x3b\x3d\x3f-\x7e]+$")] | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self._newest_told < self.oldest:
            raise ValueError("recommended is before minimum: give a later one, or none")
        if self.recommended is None and (self.deprecated or self.sunset):
            raise ValueError("deprecated and sunset are for versions before recommended: give one")
        if any(one is not None and one.tzinfo is None for one in (self.deprecated, self.sunset)):
            raise ValueError("give moments with an offset: 2027-01-31T00:00:00Z")
        return self

    @property
    def oldest(self) -> Release:
        """The oldest version that is served."""
        return release_of(self.minimum) or ()

    @property
    def _newest_told(self) -> Release:
        """The version from which on nothing is told."""
        return release_of(self.recommended or self.minimum) or ()

    def judge(self, release: Release) -> tuple[Header, ...]:
        """Return what a served version is told. Raises ProblemError(UPGRADE_REQUIRED)."""
        if release < self.oldest:
            link = {} if self.link is None else {"link": f'<{self.link}>; rel="latest-version"'}
            detail = f"This version of the app is no longer served; {self.minimum} and newer are."
            raise ProblemError(ProblemCode.UPGRADE_REQUIRED, detail, headers=link)
        if release >= self._newest_told:
            return ()
        return tuple(self._told())

    def _told(self) -> list[Header]:
        told = {"x-app-recommended-version": self.recommended}
        if self.deprecated is not None:
            told["deprecation"] = f"@{int(self.deprecated.timestamp())}"
        if self.sunset is not None:
            told["sunset"] = format_datetime(self.sunset.astimezone(UTC), usegmt=True)
        if self.link is not None:
            told["link"] = f'<{self.link}>; rel="sunset"'
        return [(name.encode(), value.encode()) for name, value in told.items() if value]


class AppPolicy:
    """The live policy of one process. ``path`` None: every version is served. Raises ValueError for a wrong file."""

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._looked_s = clock.now_s()
        self._seen = _signature(path)
        self._platforms = {} if path is None else read_policy(path)

    def judge(self, context: RequestContext) -> None:
        """Leave with the request what its answer is to tell. Raises ProblemError(UPGRADE_REQUIRED)."""
        now_s = self._clock.now_s()
        if now_s - self._looked_s >= LOOK_EVERY_S:
            self._looked_s = now_s
            self._look()
        platform = self._platforms.get((context.header(PLATFORM) or "").lower())
        release = release_of(context.header(VERSION) or "")
        if platform is not None and release is not None:
            context.told = platform.judge(release)

    def _look(self) -> None:
        seen = _signature(self._path)
        if self._path is None or seen == self._seen:
            return
        self._seen = seen
        try:
            self._platforms = read_policy(self._path)
        except ValueError as wrong:
            told = {"reason": str(wrong), "remedy": "mend the file; what held before goes on"}
            log.error("app_policy_refused", **told)  # noqa: TRY400 - its text is all there is to know
        else:
            log.info("app_policy_read", platforms=sorted(self._platforms))


def read_policy(path: Path) -> dict[str, PlatformPolicy]:
    """Read the file. Raises ValueError, which names the file, the place, the value's fault and the remedy."""
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise ValueError(f"FRONTAGE_APP_POLICY: {path}: {wrong}; its form is in docs/mobile.md") from None
    faults, platforms = [], {}
    for name, values in document.items():
        try:
            platforms[name.lower()] = PlatformPolicy.model_validate(values)
        except ValidationError as misfit:
            for one in misfit.errors():
                key = str(one["loc"][0]) if one["loc"] else ""
                faults.append(f"{path}:{_line(text, name, key)}: {name} {key} {one['input']!r}: {one['msg']}")
    if faults:
        raise ValueError(f"FRONTAGE_APP_POLICY: {'; '.join(faults)}")
    return platforms


def _line(text: str, table: str, key: str) -> int:
    """Return the line of a key, or of its table when it is missing there."""
    at, inside = 1, False
    for number, line in enumerate(text.splitlines(), 1):
        if found := TABLE.match(line):
            inside = found[1] == table
            at = number if inside else at
        elif inside and key and line.partition("=")[0].strip().strip('"') == key:
            return number
    return at


def _signature(path: Path | None) -> tuple[int, int, int] | None:
    """Return what differs once a file has been written or replaced; None while there is none."""
    try:
        about = path.stat() if path is not None else None
    except OSError:
        return None
    return (about.st_mtime_ns, about.st_ino, about.st_size) if about else None
