"""TLS of our listeners: which certificates, which protocol versions, whether clients must show one of their own.

Certificates reach Envoy as secrets, each in a file of its own: so a renewed one is taken up without a new listener, and
connections that are open stay open. Envoy reads a file again only under another name, so each content has one: a link
that is called by its digest (``stamps``).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from edge.envoy.words import TYPES, Json, config_file, typed
from edge.spec.listeners import ListenerSpec, TlsSpec

DOWNSTREAM_TLS: Final = "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
SECRET: Final = "envoy.extensions.transport_sockets.tls.v3.Secret"  # noqa: S105 - the name of a message
ALPN: Final = {"http1": "http/1.1", "http2": "h2"}
TLS_VERSIONS: Final = {"1.2": "TLSv1_2", "1.3": "TLSv1_3"}
# Forward secrecy and authenticated encryption only (RFC 9325 §4.2), for the clients that have no TLS 1.3.
TLS12_CIPHERS: Final = (
    "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]",
    "[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]",
    "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
)  # fmt: skip

Stamps = Mapping[str, str]


def tls_socket(name: str, listener: ListenerSpec, tls: TlsSpec, folder: str | None) -> Json:
    """Return the TLS part of a listener; secrets come from ``folder``, or stand in it when there is none."""
    secrets = dict(_secrets(name, tls, str))
    certificates = [one for one in secrets if one != _client_ca(name)]
    context: Json = {
        "tls_params": {
            "tls_minimum_protocol_version": TLS_VERSIONS[tls.min_version],
            "tls_maximum_protocol_version": "TLSv1_3",
            "cipher_suites": list(TLS12_CIPHERS),
        },
        "alpn_protocols": [ALPN[one] for one in ("http2", "http1") if one in listener.protocols],
    }
    if folder is None:
        context["tls_certificates"] = [secrets[one]["tls_certificate"] for one in certificates]
    else:
        context["tls_certificate_sds_secret_configs"] = [_source(one, folder) for one in certificates]
    if tls.clients is not None:
        ca = _client_ca(name)
        if folder is None:
            context["validation_context"] = secrets[ca]["validation_context"]
        else:
            context["validation_context_sds_secret_config"] = _source(ca, folder)
    config = typed(DOWNSTREAM_TLS, common_tls_context=context)
    if tls.clients is not None:
        config["require_client_certificate"] = tls.clients.required
    return {"name": "envoy.transport_sockets.tls", "typed_config": config}


def secret_files(name: str, tls: TlsSpec, stamps: Stamps, folder: str) -> Iterator[tuple[str, Json]]:
    """Yield the files of a listener's secrets: one each, as Envoy wants them."""
    for secret, content in _secrets(name, tls, lambda file: f"{folder}/{link_name(stamps[file])}"):
        yield secret_file(secret), {"resources": [{"@type": TYPES + SECRET, "name": secret, **content}]}


def secret_file(secret: str) -> str:
    """Return the name of a secret's file."""
    return f"{secret}.json"


def link_name(stamp: str) -> str:
    """Return the name under which Envoy reads a file with that content."""
    return f"{stamp[:32]}.pem"


def _secrets(name: str, tls: TlsSpec, path: Callable[[str], str]) -> Iterator[tuple[str, Json]]:
    for number, (certificate, key) in enumerate(tls.pairs()):
        pair = {"certificate_chain": {"filename": path(certificate)}, "private_key": {"filename": path(key)}}
        yield f"tls.{name}.{number}", {"tls_certificate": pair}
    if tls.clients is not None:
        yield _client_ca(name), {"validation_context": {"trusted_ca": {"filename": path(tls.clients.ca)}}}


def _client_ca(name: str) -> str:
    return f"tls.{name}.clients"


def _source(secret: str, folder: str) -> Json:
    return {"name": secret, "sds_config": config_file(f"{folder}/{secret_file(secret)}", folder)}
