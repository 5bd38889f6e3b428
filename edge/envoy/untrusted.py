"""What nobody outside may say: who the caller is, where it comes from, which path we should believe, how Envoy acts.

Owns the names, and that they are gone before anything else looks at a request (identity.md §3.1). Underscore variants
are refused outright (``lua.GUARD``).
"""

from typing import Final

from edge.envoy.words import Json
from edge.spec.listeners import ListenerSpec

# A name that ends in - is a prefix. Ours, and what other gateways, clouds and servers would believe.
IDENTITY: Final = (
    "x-auth-", "x-authenticated-", "x-user-", "x-user", "x-frontage-", "x-internal-token", "x-client-id", "x-trace-id",
    "x-consumer-", "x-credential-", "x-jwt-", "x-token-", "x-remote-", "remote-user", "x-webauth-", "x-goog-",
    "x-amzn-oidc-", "x-ms-client-principal", "x-ms-client-principal-", "cf-access-jwt-assertion", "x-pomerium-",
)  # fmt: skip
CERTIFICATES: Final = (
    "client-cert", "client-cert-", "x-client-cert", "x-client-cert-", "x-client-dn", "x-client-verify", "x-ssl-",
    "ssl-client-", "x-arr-clientcert", "x-arr-ssl",
)  # fmt: skip
FORWARDING: Final = (
    "forwarded", "x-real-ip", "true-client-ip", "x-client-ip", "x-cluster-client-ip", "x-originating-ip",
    "fastly-client-ip", "cf-connecting-ip", "x-original-", "x-rewrite-url", "x-host", "x-http-method",
    "x-http-method-override", "x-method-override", "x-client-trace-id",
)  # fmt: skip
# Envoy takes some of them off by itself. Its own are added afterwards.
STEERING: Final = ("x-envoy-",)
# Not TE: Envoy leaves only "trailers" of it, which gRPC needs.
HOPS: Final = ("keep-alive", "proxy-authorization", "proxy-connection", "trailer")
# From strangers all x-forwarded- are made up; behind a proxy of ours -for and -proto are its word, and not these.
BESIDE_PROXIES: Final = (
    "by", "client-cert", "email", "access-token", "groups", "host", "method", "path", "port", "preferred-username",
    "prefix", "scheme", "server", "ssl", "uri", "user", "user-id",
)  # fmt: skip


def early_mutations(listener: ListenerSpec) -> list[Json]:
    """Return what is taken off a request before anything else looks at it."""
    forwarded = ["x-forwarded-"] if listener.trusted_hops == 0 else [f"x-forwarded-{one}" for one in BESIDE_PROXIES]
    names = [*IDENTITY, *CERTIFICATES, *FORWARDING, *STEERING, *HOPS, *forwarded]
    prefixes = [{"remove_on_match": {"key_matcher": {"prefix": one}}} for one in names if one.endswith("-")]
    return [*({"remove": one} for one in names if not one.endswith("-")), *prefixes]
