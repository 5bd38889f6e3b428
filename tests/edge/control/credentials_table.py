"""The table of credentials: what a request carries, and what becomes of it, wherever it is judged.

One table for the edge and for the BFF behind it (issue 4, point 7). JWTs are the rows of
``tests/shared/identity/tokens_table.py``; here are the other kinds, and what stands beside or twice. A ``World`` is
what a request can be made of.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.edge.echo import Introspection
from tests.shared.identity import tokens_table
from tests.shared.identity.tokens_table import Issuer

SCOPE = "dashboard"
# Longer ones no server takes: the edge says 431, uvicorn closes.
LONGEST = 12_000


@dataclass
class World:
    """An issuer of JWTs, one of opaque tokens, and API keys by what is special about them."""

    issuer: Issuer
    introspection: Introspection
    keys: dict[str, str]

    def jwt(self) -> str:
        self.issuer.now = int(time.time())
        return self.issuer.token()


Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Row:
    """``rule``: the line of identity.md (lower case) or the field case. ``path``: what is added to the URL."""

    rule: str
    name: str
    make: Callable[[World], Headers]
    status: int
    code: str = ""
    query: Callable[[World], str] = lambda _: ""

    def __str__(self) -> str:
        return f"idn_{self.rule}-{self.name}"


def bearer(token: str) -> Headers:
    return [("authorization", f"Bearer {token}")]


def _key(which: str) -> Callable[[World], Headers]:
    return lambda world: [("x-api-key", world.keys[which])]


def _said(name: str, **changes: object) -> Callable[[World], Headers]:
    """An opaque token of which the issuer says so."""

    def make(world: World) -> Headers:
        return bearer(world.introspection.knows(f"opaque-token-that-is-{name}", **changes))

    return make


def _said_at(name: str, **seconds: int) -> Callable[[World], Headers]:
    """An opaque token whose times are so many seconds from the moment that it is used."""

    def make(world: World) -> Headers:
        return _said(name, **{one: int(time.time()) + at for one, at in seconds.items()})(world)

    return make


def _odd(name: str, answer: dict | bytes | int) -> Callable[[World], Headers]:
    """An opaque token about which the issuer says this, word for word."""

    def make(world: World) -> Headers:
        world.introspection.answers[f"opaque-token-that-is-{name}"] = answer
        return bearer(f"opaque-token-that-is-{name}")

    return make


def _refused(rule: str, name: str, make: Callable[[World], Headers]) -> Row:
    return Row(rule, name, make, 401, "unauthenticated")


def _unknown(rule: str, name: str, make: Callable[[World], Headers]) -> Row:
    return Row(rule, name, make, 503, "backend_unreachable")


def _ambiguous(name: str, make: Callable[[World], Headers]) -> Row:
    return Row("a37", name, make, 400, "invalid_request")


NOW = time.time()
GOOD = {"active": True, "aud": "frontage", "sub": "u-1", "client_id": "app", "scope": SCOPE, "exp": int(NOW) + 9999}

KEYS = (
    Row("a34", "key", _key("good"), 200),
    Row("a34", "key_retiring", _key("retiring"), 200),
    _refused("a34", "key_with_a_bad_checksum", lambda w: [("x-api-key", w.keys["good"][:-1] + "!")]),
    _refused("a34", "key_with_a_typing_error", lambda w: [("x-api-key", _mistyped(w.keys["good"]))]),
    _refused("a34", "key_unknown", _key("unknown")),
    _refused("a34", "key_with_another_secret", _key("other_secret")),
    _refused("a34", "key_revoked", _key("revoked")),
    _refused("a34", "key_expired", _key("expired")),
    _refused("a34", "key_to_come", _key("to_come")),
    _refused("a34", "key_in_another_alphabet", lambda w: [("x-api-key", w.keys["good"].replace("_", "-"))]),
    _refused("a34", "key_with_a_blank", lambda w: [("x-api-key", f"Bearer {w.keys['good']}")]),
    _refused("a34", "key_of_another_product", lambda _: [("x-api-key", "sk_live_0123456789abcdef")]),
    _refused("a34", "key_as_a_bearer_token", lambda w: bearer(w.keys["good"])),
    _refused("a34", "jwt_as_a_key", lambda w: [("x-api-key", w.jwt())]),
    _refused("a34", "key_in_a_cookie", lambda w: [("cookie", f"x-api-key={w.keys['good']}")]),
    Row("a34", "key_for_another_bff", _key("elsewhere"), 403, "forbidden"),
    Row("a34", "key_without_the_scope", _key("scopeless"), 403, "forbidden"),
    Row("o8", "key_in_the_query", lambda _: [], 401, "unauthenticated", lambda w: f"?key={w.keys['good']}"),
    Row("o8", "token_in_the_query", lambda _: [], 401, "unauthenticated", lambda w: f"?access_token={w.jwt()}"),
)

OPAQUE = (
    Row("i3", "opaque", _said("good"), 200),
    Row("i4", "opaque_for_several", _said("for-several", aud=["other", "frontage"]), 200),
    Row("i4", "opaque_within_leeway", _said_at("late", exp=-15), 200),
    Row("i4", "opaque_without_issuer", _said("of-nobody", iss=None), 200),
    _refused("i3", "opaque_unknown", lambda _: bearer("opaque-token-that-nobody-knows")),
    _refused("i3", "opaque_inactive_with_rights", _odd("inactive", {**GOOD, "active": False})),
    _refused("i4", "opaque_expired", _said_at("expired", exp=-60)),
    _refused("i4", "opaque_without_expiry", _said("endless", exp=None)),
    _refused("i4", "opaque_not_yet", _said_at("early", nbf=120)),
    _refused("i4", "opaque_for_another", _said("for-another", aud="other")),
    _refused("i4", "opaque_for_nobody", _said("for-nobody", aud=None)),
    _refused("i4", "opaque_of_another_issuer", _said("foreign", iss="https://evil.test")),
    _refused("i4", "opaque_without_subject", _said("subjectless", sub=None)),
    _refused("i4", "opaque_without_client", _said("clientless", client_id=None)),
    _refused("i7", "refresh_token", _said("for-refresh", token_type="refresh_token")),
    _refused("i7", "refresh_token_of_keycloak", _said("for-refresh-k", typ="Refresh")),
    _refused("i7", "refresh_token_of_hydra", _said("for-refresh-h", token_use="refresh_token")),
    _refused("j7", "opaque_too_short", lambda _: bearer("short")),
    _refused("j7", "opaque_too_long", lambda _: bearer("l" * 2049)),
    _refused("j7", "opaque_with_odd_characters", lambda _: bearer("opaque{token}that|is|odd")),
    Row("o9", "opaque_without_the_scope", _said("scopeless", scope="other"), 403, "forbidden"),
    Row("t5", "opaque_without_any_scope", _said("rightless", scope=None), 403, "forbidden"),
    # After each question that failed one that did not: five failures in a row, and an issuer is not asked any more.
    _unknown("i2", "active_is_text", _odd("text", {**GOOD, "active": "true"})),
    Row("i3", "opaque_after_text", _said("after-text"), 200),
    _unknown("i2", "active_is_one", _odd("one", {**GOOD, "active": 1})),
    Row("i3", "opaque_after_one", _said("after-one"), 200),
    _unknown("i2", "active_is_missing", _odd("missing", {"sub": "u-1"})),
    Row("i3", "opaque_after_nothing", _said("after-nothing"), 200),
    _unknown("i2", "answer_is_no_json", _odd("no-json", b"<html>")),
    Row("i3", "opaque_after_html", _said("after-html"), 200),
    _unknown("i6", "introspection_down", _odd("down", 500)),
    Row("i3", "opaque_after_an_outage", _said("after-an-outage"), 200),
    _unknown("i6", "introspection_refuses_us", _odd("refused", 401)),
    Row("i3", "opaque_after_all", _said("after-all"), 200),
)

BESIDE = (
    _refused("n6", "none", lambda _: []),
    _refused("n5", "cookie_alone", lambda _: [("cookie", "session=abc")]),
    _refused("n6", "basic", lambda _: [("authorization", "Basic dTpw")]),
    _refused("n6", "bearer_alone", lambda _: [("authorization", "Bearer")]),
    _refused("n6", "token_without_scheme", lambda w: [("authorization", w.jwt())]),
    Row("n6", "scheme_in_capitals", lambda w: [("authorization", f"BEARER {w.jwt()}")], 200),
    Row("a4", "other_identity_headers", lambda w: [*bearer(w.jwt()), ("x-auth-sub", "victim")], 200),
    _ambiguous("jwt_and_key", lambda w: [*bearer(w.jwt()), ("x-api-key", w.keys["good"])]),
    _ambiguous("jwt_and_nonsense", lambda w: [*bearer(w.jwt()), ("x-api-key", "x")]),
    _ambiguous("opaque_and_key", lambda w: [*_said("good")(w), ("x-api-key", w.keys["good"])]),
    _ambiguous("two_tokens", lambda w: [*bearer(w.jwt()), *bearer(w.jwt())]),
    _ambiguous("two_keys", lambda w: [("x-api-key", w.keys["good"]), ("x-api-key", w.keys["retiring"])]),
    _ambiguous("one_key_twice", lambda w: [("x-api-key", w.keys["good"])] * 2),
)


def _mistyped(key: str) -> str:
    """Exchange two neighbours of the secret: what people do."""
    at = next(at for at in range(30, 60) if key[at] != key[at + 1])
    return f"{key[:at]}{key[at + 1]}{key[at]}{key[at + 2 :]}"


def _of_token(row: tokens_table.Row) -> Row:
    """Make a row of a token; one that counts and has no scope is a 403 where a scope is asked for."""

    def make(world: World) -> Headers:
        world.issuer.now = int(time.time())
        return bearer(row.make(world.issuer))

    if row.reason is not None:
        return Row(row.rule, f"jwt_{row.name}", make, 401, "unauthenticated")
    if "scope" in row.name:
        return Row(row.rule, f"jwt_{row.name}", make, 403, "forbidden")
    return Row(row.rule, f"jwt_{row.name}", make, 200)


# What no header can carry: a line break, nothing at all, more than a server reads.
NO_HEADER = frozenset({"newline_after", "empty", "kid_of_100_kb", "not_ascii"})
TOKENS = tuple(_of_token(row) for row in (*tokens_table.GOOD, *tokens_table.BAD) if row.name not in NO_HEADER)

ROWS = (*BESIDE, *KEYS, *OPAQUE, *TOKENS)
