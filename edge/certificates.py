"""The files that certificates and keys are in: whether they are there, fit each other, and have changed."""

import ssl
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from edge.assembly import Edge
from edge.problems import Place, Problem
from edge.spec.listeners import TlsSpec


def certificate_problems(edge: Edge) -> list[Problem]:
    """Return what cannot be served for want of a file. Not a fault of ``edge.yaml``: a checker needs no key."""
    missing = [
        Problem(place, "missing_certificate", f"there is no file {file!r}", "run 'make setup', or name one")
        for place, file in _files(edge)
        if not Path(file).is_file()
    ]
    return missing or list(_misfits(edge))


def certificate_files(edge: Edge) -> list[Path]:
    """Return every file, there or not."""
    return [Path(file).absolute() for _, file in _files(edge)]


def stamps(edge: Edge) -> dict[str, str]:
    """Return a digest of every file that is there, by its name."""
    return {file: sha256(Path(file).read_bytes()).hexdigest() for _, file in _files(edge) if Path(file).is_file()}


def _files(edge: Edge) -> Iterator[tuple[Place, str]]:
    for tls in _listeners(edge):
        for pair in tls.pairs():
            yield from ((tls.place, file) for file in pair)
        if tls.clients is not None:
            yield tls.clients.place, tls.clients.ca
    for cluster in edge.spec.clusters.values():
        if cluster.tls is not None:
            named = (cluster.tls.ca, cluster.tls.certificate, cluster.tls.key)
            yield from ((cluster.tls.place, file) for file in named if file is not None)


def _misfits(edge: Edge) -> Iterator[Problem]:
    for tls in _listeners(edge):
        for certificate, key in tls.pairs():
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
            except (ssl.SSLError, OSError) as error:
                message = f"certificate {certificate!r} and key {key!r} cannot be used: {_said(error)}"
                yield Problem(tls.place, "bad_certificate", message, "put a PEM chain and its own key there")


def _said(error: OSError) -> str:
    return str(getattr(error, "reason", None) or error.strerror or error).lower().replace("_", " ")


def _listeners(edge: Edge) -> Iterator[TlsSpec]:
    yield from (listener.tls for listener in edge.spec.listeners.values() if listener.tls is not None)
