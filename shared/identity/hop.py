"""The way from the edge to a BFF: TLS with both ends shown, so that who speaks is known without a token.

Owns the check that uvicorn does not make: that the caller's certificate, which the authority has vouched for, is of the
one name that may call. Needed in mode ``edge``, where the edge's plain word is believed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class HopSettings(BaseSettings):
    """``tls_certificate`` and ``tls_key`` are shown to callers; ``tls_callers`` vouches for theirs (PEM files).

    ``tls_caller`` is the name (a DNS name or a URI) that a caller's certificate must have. ``trust``: ``insecure-dev``
    lets a developer's machine go without, in local mode.
    """

    model_config = SettingsConfigDict(env_prefix="FRONTAGE_", frozen=True, extra="ignore", hide_input_in_errors=True)

    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_callers: Path | None = None
    tls_caller: str | None = None
    trust: Literal["verified", "insecure-dev"] = "verified"

    @property
    def uvicorn_tls(self) -> dict[str, Any]:
        """What uvicorn is to be told."""
        if self.tls_certificate is None:
            return {}
        import ssl  # noqa: PLC0415 - forty milliseconds of start, for who needs it

        told: dict[str, Any] = {"ssl_certfile": str(self.tls_certificate), "ssl_keyfile": str(self.tls_key)}
        if self.tls_callers is not None:
            told |= {"ssl_ca_certs": str(self.tls_callers), "ssl_cert_reqs": ssl.CERT_REQUIRED}
        return told

    @model_validator(mode="after")
    def _whole(self) -> Self:
        together: dict[str, object] = {
            "FRONTAGE_TLS_CERTIFICATE": self.tls_certificate, "FRONTAGE_TLS_KEY": self.tls_key,
        }  # fmt: skip
        if self.tls_callers is not None or self.tls_caller is not None:
            together |= {"FRONTAGE_TLS_CALLERS": self.tls_callers, "FRONTAGE_TLS_CALLER": self.tls_caller}
        missing = [name for name, value in together.items() if value is None]
        if missing and len(missing) < len(together):
            raise ValueError(f"set {' and '.join(missing)} too: they count together only")
        return self


def is_caller(certificate: Mapping[str, Any] | None, name: str) -> bool:
    """Whether a peer's certificate, as ``ssl`` gives it, is of that name."""
    names = (certificate or {}).get("subjectAltName", ())
    return any(kind in ("DNS", "URI") and value == name for kind, value in names)
