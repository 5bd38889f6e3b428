"""A certificate authority of this machine alone, and the edge's certificate from it.

Owns ``<state>/tls/``: ``ca.pem`` to trust, ``edge.pem`` (with its chain) and ``edge.key`` to serve. The CA's own key
is never written: it signs once and is gone, so nothing on the disk can sign for another name.
"""

import argparse
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import trustme
from cryptography import x509

# As the edge is called: by a browser here, by another container, and in the host rules of edge.yaml's examples.
NAMES: Final = ("localhost", "127.0.0.1", "::1", "edge", "api.example.test")
LIFETIME: Final = timedelta(days=90)
# Renewed a week before it ends: whoever keeps a copy running over some days is not surprised by it.
RENEW_BEFORE: Final = timedelta(days=7)


def ensure_certificates(folder: Path, now: datetime | None = None) -> bool:
    """See that ``folder`` holds a good certificate; returns whether a new one was made.

    Copies that start together share the folder: one writes, the others wait and find it done.
    """
    now = now or datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder / "lock"):
        if _good(folder, now):
            return False
        authority = trustme.CA(organization_name="Frontage, this machine only")
        issued = authority.issue_cert(*NAMES, not_after=now + LIFETIME)
        chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
        _write(folder / "edge.key", issued.private_key_pem.bytes(), mode=0o600)
        _write(folder / "edge.pem", chain, mode=0o644)
        _write(folder / "ca.pem", authority.cert_pem.bytes(), mode=0o644)
        return True


def _good(folder: Path, now: datetime) -> bool:
    files = [folder / name for name in ("ca.pem", "edge.pem", "edge.key")]
    if not all(file.is_file() for file in files):
        return False
    try:
        certificate = x509.load_pem_x509_certificate((folder / "edge.pem").read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except ValueError:  # half a file, or not ours
        return False
    held = {str(name.value) for name in names}
    return set(NAMES) <= held and now + RENEW_BEFORE < certificate.not_valid_after_utc


def _write(file: Path, content: bytes, *, mode: int) -> None:
    """Write whole or not at all, and never readable for longer than ``mode`` says."""
    part = file.with_suffix(".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
    part.replace(file)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Make the edge's certificate, or keep the one that is still good."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where ca.pem, edge.pem and edge.key belong")
    folder: Path = parser.parse_args().folder
    made = ensure_certificates(folder)
    print(f"{'made' if made else 'kept'} {folder / 'edge.pem'}; trust {folder / 'ca.pem'}")


if __name__ == "__main__":
    main()
