"""TLS to a backend: what is verified, and how a handshake that failed is said to an operator."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsPolicy:
    """Whom we believe. Verification cannot be turned off: what cannot be verified is not called.

    ``ca`` is a PEM file of authorities trusted beside the system's (to trust them only, point OpenSSL's own
    ``SSL_CERT_FILE`` at it). ``server_name`` is the name to ask for and to find in the certificate, where it is not
    the URL's host: for a backend reached by its address.
    """

    ca: Path | None = None
    server_name: str | None = None

    def context(self) -> ssl.SSLContext:
        """Return a context of the policy's own (some clients change it). Raises ValueError when ``ca`` is no such file.

        TLS 1.2 is the least (RFC 8996); chain and name are checked.
        """
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.ca is not None:
            try:
                context.load_verify_locations(self.ca)
            except (OSError, ssl.SSLError) as error:
                reason = "holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
                raise ValueError(f"{self.ca}: {reason}; give a PEM file with the authorities to trust") from None
        return context


# OpenSSL's X509_V_ERR_*: what they mean, and what to do about them.
UNKNOWN_AUTHORITY: Final = (
    "its certificate is from an authority that is not trusted here; set FRONTAGE_BACKEND_CA to a PEM file with it"
)
VERIFY_ERRORS: Final[dict[int, str]] = {
    2: UNKNOWN_AUTHORITY,
    9: "its certificate is not valid yet; check both clocks",
    10: "its certificate has expired; renew it",
    18: "its certificate is signed by itself; have it signed by an authority, or set FRONTAGE_BACKEND_CA to it",
    19: UNKNOWN_AUTHORITY,
    20: UNKNOWN_AUTHORITY,
    21: UNKNOWN_AUTHORITY,
    62: "its certificate is for another name; call it by a name that the certificate has",
    64: "its certificate is not for this address; call it by a name that the certificate has",
}

# OpenSSL's reasons for a handshake that failed before there was a certificate to judge.
HANDSHAKE_ERRORS: Final[dict[str, str]] = {
    "WRONG_VERSION_NUMBER": "it does not speak TLS on this port; check the URL's scheme and port",
    "HTTP_REQUEST": "it does not speak TLS on this port; check the URL's scheme and port",
    "UNSUPPORTED_PROTOCOL": "it offers no TLS of version 1.2 or newer",
    "TLSV1_ALERT_PROTOCOL_VERSION": "it offers no TLS of version 1.2 or newer",
    "NO_PROTOCOLS_AVAILABLE": "it offers no TLS of version 1.2 or newer",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "it found no version or cipher that both sides know",
    "UNEXPECTED_EOF_WHILE_READING": "it hung up during the handshake",
}


def tls_reason(error: ssl.SSLError) -> str:
    """Say a failed handshake in words that an operator can act on."""
    if isinstance(error, ssl.SSLCertVerificationError):
        said = VERIFY_ERRORS.get(error.verify_code)
        return f"TLS: {said or error.verify_message}"
    # Older Pythons keep OpenSSL's word from us.
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError) and not error.reason:
        return f"TLS: {HANDSHAKE_ERRORS['UNEXPECTED_EOF_WHILE_READING']}"
    reason = error.reason or "the handshake failed"
    return f"TLS: {HANDSHAKE_ERRORS.get(reason, reason.lower().replace('_', ' '))}"


def said_goodbye(session: ssl.SSLObject | None) -> bool:
    """Whether an end was the backend's own word: over TLS, anybody on the line can end the TCP connection alone."""
    if session is None:
        return True
    try:
        return not session.read(1)
    except ssl.SSLZeroReturnError:
        return True
    except ssl.SSLError:  # there would be more to come
        return False
