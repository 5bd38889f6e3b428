"""Where a backend is: what its URL says about connecting to it and about asking it.

Owns the reading of URLs. Which addresses a host has is ``names.py``'s business.
"""

from typing import NamedTuple, Self

import httpx


class Origin(NamedTuple):
    """A URL, read once.

    ``host`` is a name or an address as DNS and TLS know it: punycode, no brackets. ``authority`` is what the Host
    header says. ``base_path`` never ends in a slash. ``socket_path`` is set for a unix socket, which has neither host
    nor port.
    """

    host: str
    port: int
    authority: str
    base_path: str = ""
    tls: bool = False
    socket_path: str | None = None

    @classmethod
    def of(cls, url: str) -> Self:
        """Read ``http://…``, ``https://…`` or ``unix:///path/of/socket``."""
        parsed = httpx.URL(url)
        if parsed.scheme == "unix":
            # A server behind a socket has no name; "localhost" is what curl and Docker's clients say.
            return cls("", 0, "localhost", socket_path=parsed.path)
        tls = parsed.scheme == "https"
        return cls(
            parsed.raw_host.decode("ascii"), parsed.port or (443 if tls else 80), parsed.netloc.decode("ascii"),
            parsed.raw_path.decode("ascii").rstrip("/"), tls,
        )  # fmt: skip

    @property
    def server_name(self) -> str:
        """What a certificate must be for. A name's last dot only tells resolvers not to search (RFC 1034 §3.1)."""
        return self.host.rstrip(".")
