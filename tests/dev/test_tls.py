import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from dev.tls import LIFETIME, NAMES, ensure_certificates


def test_a_certificate_for_every_name_of_the_edge_from_a_ca_that_is_trusted_alone(tmp_path: Path) -> None:
    """The chain loads, the key fits it, and nobody else may read the key."""
    assert ensure_certificates(tmp_path) is True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "edge.pem", tmp_path / "edge.key")
    certificate = x509.load_pem_x509_certificate((tmp_path / "edge.pem").read_bytes())
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(name.value) for name in found} == set(NAMES)
    authority = x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes())
    certificate.verify_directly_issued_by(authority)
    assert stat.S_IMODE((tmp_path / "edge.key").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ca.pem", "edge.key", "edge.pem", "lock"]


def test_a_good_certificate_is_kept_and_an_old_one_replaced(tmp_path: Path) -> None:
    """Kept while it is good for more than a week; then a new one, with a new CA."""
    now = datetime.now(UTC)
    ensure_certificates(tmp_path, now)
    first = (tmp_path / "edge.pem").read_bytes()
    assert ensure_certificates(tmp_path, now + LIFETIME - timedelta(days=8)) is False
    assert (tmp_path / "edge.pem").read_bytes() == first
    assert ensure_certificates(tmp_path, now + LIFETIME - timedelta(days=6)) is True
    assert (tmp_path / "edge.pem").read_bytes() != first


def test_half_a_certificate_is_replaced(tmp_path: Path) -> None:
    """Whatever stopped the last run, the next one is whole."""
    ensure_certificates(tmp_path)
    (tmp_path / "edge.pem").write_text("-----BEGIN")
    assert ensure_certificates(tmp_path) is True
    (tmp_path / "ca.pem").unlink()
    assert ensure_certificates(tmp_path) is True
