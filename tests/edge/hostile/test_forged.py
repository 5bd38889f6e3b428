"""Headers that only we may write: whoever sends them, none arrives as sent."""

import pytest

IDENTITY = (
    "x-auth-sub", "x-auth-subject", "x-auth-scope", "x-auth-request-user", "x-auth-request-email", "x-user",
    "x-user-id", "x-user-role", "x-internal-token", "x-client-id", "x-client-cert", "x-client-dn", "client-cert",
    "client-cert-chain", "x-ssl-client-cert", "x-ssl-client-verify", "ssl-client-cert", "x-remote-user",
    "remote-user", "x-authenticated-user", "x-authenticated-userid", "x-consumer-id", "x-consumer-username",
    "x-credential-identifier", "x-jwt-payload", "x-webauth-user", "x-goog-iap-jwt-assertion",
    "x-goog-authenticated-user-email", "x-amzn-oidc-identity", "x-amzn-oidc-data", "x-ms-client-principal",
    "x-ms-client-principal-id", "cf-access-jwt-assertion", "x-pomerium-jwt-assertion", "x-token-subject",
    "x-frontage-own", "x-frontage-sampling", "x-trace-id", "x-stamp",
)  # fmt: skip
FORWARDING = (
    "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-forwarded-prefix",
    "x-forwarded-by", "x-forwarded-server", "x-forwarded-scheme", "x-forwarded-ssl", "x-forwarded-user",
    "x-forwarded-email", "x-forwarded-groups", "x-forwarded-preferred-username", "x-forwarded-access-token",
    "x-forwarded-client-cert", "x-forwarded-uri", "x-forwarded-path", "x-forwarded-method", "x-real-ip",
    "true-client-ip", "cf-connecting-ip", "fastly-client-ip", "x-client-ip", "x-cluster-client-ip",
    "x-originating-ip", "x-original-url", "x-original-uri", "x-original-host", "x-original-method", "x-rewrite-url",
    "x-host", "x-http-method-override", "x-http-method", "x-method-override",
)  # fmt: skip
STEERING = (
    "x-envoy-upstream-rq-timeout-ms", "x-envoy-upstream-rq-per-try-timeout-ms", "x-envoy-expected-rq-timeout-ms",
    "x-envoy-upstream-alt-stat-name", "x-envoy-upstream-stream-duration-ms", "x-envoy-upstream-canary",
    "x-envoy-retry-on", "x-envoy-retry-grpc-on", "x-envoy-max-retries", "x-envoy-retriable-status-codes",
    "x-envoy-retriable-header-names", "x-envoy-hedge-on-per-try-timeout", "x-envoy-internal",
    "x-envoy-external-address", "x-envoy-force-trace", "x-envoy-original-path", "x-envoy-original-host",
    "x-envoy-original-method", "x-envoy-original-dst-host", "x-envoy-decorator-operation",
    "x-envoy-downstream-service-cluster", "x-envoy-downstream-service-node", "x-envoy-ip-tags",
    "x-envoy-is-timeout-retry", "x-envoy-attempt-count", "x-envoy-peer-metadata", "x-envoy-peer-metadata-id",
    "x-request-id", "x-client-trace-id",
)  # fmt: skip


@pytest.mark.parametrize("http2", [True, False], ids=["h2", "http/1.1"])
@pytest.mark.parametrize("door", ["open", "secured"])
def test_no_forged_header_arrives(attacked, recorder, signed, door, http2):
    """Who the caller is, where it comes from, which path is meant, how Envoy should act: nobody outside says so."""
    for names in (IDENTITY, FORWARDING, STEERING):
        before = len(recorder.requests)
        with attacked.client(http2=http2) as client:
            forged = dict.fromkeys(names, "victim")
            assert client.get(f"/{door}/x", headers={**forged, "authorization": signed}).status_code == 200
        (seen,) = recorder.requests[before:]
        assert [name for name, value in seen.headers if value == "victim"] == []


@pytest.mark.parametrize("name", ["x-user-id", "x-forwarded-for", "x-deadline-ms", "x-request-id", "x-stamp"])
def test_a_second_value_does_not_survive_either(attacked, recorder, signed, name):
    """A header that is sent twice, with another in between, in two cases."""
    before = len(recorder.requests)
    lines = [("authorization", signed), (name, "6.6.6.6"), ("x-other", "1"), (name.upper(), "victim")]
    with attacked.client(http2=False) as client:
        assert client.get("/secured/x", headers=lines).status_code == 200
    (seen,) = recorder.requests[before:]
    assert not {"victim", "6.6.6.6", "6.6.6.6,victim", "6.6.6.6, victim"} & {value for _, value in seen.headers}


@pytest.mark.parametrize(
    ("asked", "arrives"),
    [("86400000", 1900), ("2001", 1900), ("-5", 1900), ("0", 1900), ("1e9", 1900), ("9" * 40, 1900), ("1500,9", 1900),
     ("nan", 1900), ("0x5", 1900), ("", 1900), ("1500", 1400)],
)  # fmt: skip
def test_a_deadline_can_be_shortened_and_never_extended(attacked, recorder, asked, arrives):
    """Garbage, repeated and larger values fall back to the route's."""
    before = len(recorder.requests)
    with attacked.client() as client:
        assert client.get("/open/x", headers={"x-deadline-ms": asked}).status_code == 200
    (seen,) = recorder.requests[before:]
    assert seen.values("x-deadline-ms") == [str(arrives)]


def test_a_client_certificate_that_nobody_asked_for_is_nobodys(attacked, recorder):
    """In each spelling that some proxy has."""
    before = len(recorder.requests)
    names = ("x-forwarded-client-cert", "X-Client-Cert", "Client-Cert", "X-SSL-Client-Cert", "X-ARR-ClientCert")
    with attacked.client(http2=False) as client:
        assert client.get("/open/x", headers=dict.fromkeys(names, 'Subject="CN=victim"')).status_code == 200
    (seen,) = recorder.requests[before:]
    assert "victim" not in repr(seen.headers)
