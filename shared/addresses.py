"""The forms of addresses in settings: where to listen, and whom to ask."""

from typing import Annotated

from pydantic import StringConstraints

ListenAddress = Annotated[str, StringConstraints(pattern=r"^[^:\s]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$")]
HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s?#]+(/[^\s?#]*)?$")]
BackendUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s?#]+(/[^\s?#]*)?$|^unix:///[^\s?#]+$")]
