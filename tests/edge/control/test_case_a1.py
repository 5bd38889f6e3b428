"""Field cases A1 and A2 at an edge and a control service: keys change while they run, and no token causes a fetch."""

import json
import time

import pytest
from joserfc.jwk import ECKey, KeySet

from tests.edge.edges import wait_for

PATHS = {"envoy": "/jwt/a1", "control": "/signed/a1"}
places = pytest.mark.parametrize("place", PATHS)
RANDOM = 200


class Second:
    """Another issuer at the echo, whose keys this module turns."""

    def __init__(self, echo) -> None:
        self.echo = echo
        self.keys = {"s1": self._new("s1")}
        self.publish("s1")

    @staticmethod
    def _new(kid: str) -> ECKey:
        return ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": "ES256"})

    def publish(self, *kids: str) -> None:
        keys = [self.keys.setdefault(kid, self._new(kid)) for kid in kids]
        self.echo.published["/turning/jwks"] = json.dumps(KeySet(keys).as_dict(private=False)).encode()

    def renew(self, kid: str) -> None:
        """New key material under an old id."""
        self.keys[kid] = self._new(kid)
        self.publish(kid)

    def token(self, kid: str) -> str:
        key = self.keys.get(kid) or self._new(kid)
        return self.echo.issuer.token(time.time(), kid=kid, key=key, iss="https://turning.test")


@pytest.fixture(scope="module")
def turning(echo) -> Second:
    return Second(echo)


@pytest.fixture(scope="module")
def client(asking, turning):
    with asking.client() as opened:
        yield opened


def ask(client, place: str, token: str) -> int:
    return client.get(PATHS[place], headers={"authorization": f"Bearer {token}"}).status_code


@pytest.fixture(autouse=True)
def settled(client, turning, place):
    """Each test begins with one key that is known."""
    turning.publish("s1")
    wait_for(lambda: ask(client, place, turning.token("s1")) == 200, "the first key is known")


@places
def test_case_a1_a_new_key_counts_within_the_bound(client, turning, place):
    """Envoy fetches by the clock (refresh: 1s here, 10s by default); the control service at the first token."""
    turning.publish("s1", f"s2-{place}")
    began = time.monotonic()
    wait_for(lambda: ask(client, place, turning.token(f"s2-{place}")) == 200, "the new key is known", 12)
    assert time.monotonic() - began < 12


@pytest.mark.parametrize("place", ["envoy"])
def test_case_a1_new_material_under_an_old_id_counts_within_the_bound(client, turning, place):
    """And the old one no longer does. The control service's verifier is tested in ``tests/shared/identity``."""
    old = turning.token("s1")
    turning.renew("s1")
    wait_for(lambda: ask(client, place, turning.token("s1")) == 200, "the renewed key is known", 5)
    assert ask(client, place, old) == 401


@places
def test_case_a1_random_key_ids_are_refused_and_cause_no_storm(client, turning, echo, place):
    """All 401, and at most one fetch in ten seconds beyond those by the clock."""
    tokens = [turning.token(f"random-{number}") for number in range(RANDOM)]
    before, began = echo.fetches["/turning/jwks"], time.monotonic()
    assert {ask(client, place, token) for token in tokens} == {401}
    lasted = time.monotonic() - began
    by_the_clock = lasted / 1.0 + 2
    assert echo.fetches["/turning/jwks"] - before <= by_the_clock + lasted / 10 + 1


@places
def test_case_a1_known_keys_count_while_the_issuer_is_away(client, turning, echo, place):
    """Its endpoint answers 500: nothing changes for those who have a token."""
    echo.published["/turning/jwks"] = None
    fetched = echo.fetches["/turning/jwks"]
    if place == "envoy":
        wait_for(lambda: echo.fetches["/turning/jwks"] > fetched, "a fetch that fails")
    assert ask(client, place, turning.token("s1")) == 200
    turning.publish("s1")


@places
@pytest.mark.parametrize("pointer", ["jku", "x5u"])
def test_case_a2_a_key_that_the_token_names_is_never_fetched(client, turning, echo, place, pointer):
    """The issuer's keys are where the YAML says; what an attacker publishes is not even looked at."""
    attacker = ECKey.generate_key("P-256", {"kid": "mine", "use": "sig", "alg": "ES256"})
    echo.published["/attacker/jwks"] = json.dumps(KeySet([attacker]).as_dict(private=False)).encode()
    header = {pointer: f"http://127.0.0.1:{echo.port}/attacker/jwks"}
    token = echo.issuer.token(time.time(), kid="mine", key=attacker, header=header, iss="https://turning.test")
    assert ask(client, place, token) == 401
    assert echo.fetches["/attacker/jwks"] == 0


@places
def test_several_issuers_are_kept_apart(client, turning, echo, place):
    """Each has its own keys and algorithms: a key of one does not sign for another (RFC 8725 §3.8)."""
    rsa = echo.issuer.rsa
    echo.published["/second/jwks"] = json.dumps(KeySet([rsa]).as_dict(private=False)).encode()
    good = echo.issuer.token(time.time(), kid="r1", algorithm="RS256", key=rsa, iss="https://second.test")
    wait_for(lambda: ask(client, place, good) == 200, "the second issuer's key is known")
    for token in (
        echo.issuer.token(time.time(), iss="https://second.test"),  # the first one's key
        echo.issuer.token(time.time(), kid="r1", algorithm="RS256", key=rsa),  # the first one's name
        echo.issuer.token(time.time(), kid="r1", algorithm="RS256", key=rsa, iss="https://turning.test"),
        echo.issuer.token(time.time(), kid="r1", algorithm="PS256", key=rsa, iss="https://second.test"),
        echo.issuer.token(time.time(), iss="https://third.test"),
    ):
        assert ask(client, place, token) == 401
