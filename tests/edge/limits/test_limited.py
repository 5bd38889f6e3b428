"""Limits as a client meets them: through the real edge, limiter and store."""

import re
import time

import pytest

FIELD = re.compile(r'"(?P<name>[a-z-]+)";r=(?P<left>\d+);t=(?P<reset>\d+)')
POLICY = re.compile(r'"(?P<name>[a-z-]+)";q=(?P<limit>\d+);w=(?P<window>\d+)')


def from_(address: str) -> dict[str, str]:
    """As the load balancer in front would say it (one trusted hop)."""
    return {"x-forwarded-for": address}


def statuses(client, path: str, count: int, **options) -> list[int]:
    return [client.get(path, **options).status_code for _ in range(count)]


@pytest.mark.parametrize("http2", [True, False], ids=["h2", "http/1.1"])
def test_exactly_the_limit_passes_and_the_rest_is_told_when(limited, fresh, http2):
    """Ten of fifteen; the refused ones get a problem with one Retry-After, and the headers of the draft."""
    with limited.client(http2=http2) as client:
        answers = [client.get("/strict/x", headers=from_("10.9.0.1")) for _ in range(15)]
        other = client.get("/strict/x", headers=from_("10.9.0.2"))
    assert [one.status_code for one in answers] == [200] * 10 + [429] * 5
    assert other.status_code == 200
    for one in answers:
        assert POLICY.fullmatch(one.headers["ratelimit-policy"]).groups() == ("strict", "10", "60")
        assert "x-ratelimit-limit" not in one.headers
    told = [FIELD.fullmatch(one.headers["ratelimit"]) for one in answers]
    assert [int(one["left"]) for one in told] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0]
    refused = answers[-1]
    assert refused.json()["code"] == "rate_limited"
    assert refused.json()["retryAfterSeconds"] == int(refused.headers["retry-after"])
    assert 1 <= int(refused.headers["retry-after"]) <= 60


def test_a_limit_by_subject_follows_the_user_and_not_the_address(limited, fresh, echo):
    """Three calls from three addresses are one user's; another user has his own."""
    ada, bob = (echo.issuer.token(time.time(), sub=sub) for sub in ("ada", "bob"))
    with limited.client() as client:
        called = [
            client.get("/mine/x", headers={"authorization": f"Bearer {ada}", **from_(f"10.9.1.{n}")}).status_code
            for n in range(4)
        ]
        other = client.get("/mine/x", headers={"authorization": f"Bearer {bob}", **from_("10.9.1.0")})
    assert called == [200, 200, 200, 429]
    assert other.status_code == 200


def test_a_limit_by_client_counts_each_app_at_each_address(limited, fresh, echo):
    """A combination of parts: only all of them together are the same counter."""
    app, page = (echo.issuer.token(time.time(), client_id=name) for name in ("app", "page"))

    def call(token: str, address: str) -> int:
        headers = {"authorization": f"Bearer {token}", **from_(address)}
        return client.get("/app/x", headers=headers).status_code

    with limited.client() as client:
        assert [call(app, "10.9.2.1") for _ in range(4)] == [200, 200, 200, 429]
        assert call(page, "10.9.2.1") == 200
        assert call(app, "10.9.2.2") == 200


def test_a_missing_or_odd_key_part_is_limited_too(limited, fresh):
    """No header, an empty one, a huge one, one with separators: each falls under a counter, none under another's."""
    odd = [{}, {"x-tenant": ""}, {"x-tenant": "a" * 5000}, {"x-tenant": b"a b|c;d,\x81"}, {"x-tenant": "%REQ(:path)%"}]
    with limited.client() as client:
        for headers in (odd[0], *odd[2:]):
            assert statuses(client, "/tenant/x", 4, headers=headers) == [200, 200, 200, 429], headers
        assert client.get("/tenant/x", headers=odd[1]).status_code == 429  # an empty one is none
        assert client.get("/tenant/x", headers={"x-tenant": "b"}).status_code == 200


def test_a_limit_by_path_counts_each_path_without_its_query(limited, fresh):
    """The path as the backend sees it."""
    with limited.client() as client:
        assert [client.get(path).status_code for path in ("/page/a?1", "/page/a?2", "/page/./a", "/page/b")] == [
            200, 200, 429, 200,
        ]  # fmt: skip


def test_case_l4_d_a_refused_dear_call_costs_nothing(limited, fresh):
    """Two calls of five leave two of twelve: a third is refused, two cheap ones pass."""
    with limited.client() as client:
        assert statuses(client, "/dear/x", 3) == [200, 200, 429]
        assert statuses(client, "/cheap/x", 3) == [200, 200, 429]


def test_a_shadow_limit_counts_and_refuses_nobody(limited, limiter, fresh):
    """It is seen in metrics and in no header."""
    before = limiter.metric('frontage_limits_checks_total{limit="shadow",outcome="shadow"}')
    with limited.client() as client:
        answers = [client.get("/shadow/x") for _ in range(3)]
    assert [one.status_code for one in answers] == [200] * 3
    assert not [one for one in answers if "ratelimit" in one.headers or "retry-after" in one.headers]
    assert limiter.metric('frontage_limits_checks_total{limit="shadow",outcome="shadow"}') == before + 2


def test_an_allowed_address_is_not_counted(limited, fresh):
    """For both scopes, IPv4 and IPv6; everybody else is."""
    with limited.client() as client:
        for friend in ("10.1.7.7", "2001:db8::7"):
            assert statuses(client, "/friends/x", 3, headers=from_(friend)) == [200, 200, 429]  # friends-here
        assert statuses(client, "/friends/x", 3, headers=from_("10.2.3.4")) == [200, 429, 429]  # friends
        assert statuses(client, "/friends/x", 2, headers=from_("10.2.3.5")) == [200, 429]


def test_an_ipv6_customer_is_his_whole_network(limited, fresh):
    """He chooses a new address of his /64 for each call, and stays one."""
    with limited.client() as client:
        calls = [client.get("/page/six", headers=from_(f"2001:db8:1:2::{n}")).status_code for n in range(1, 4)]
        other = client.get("/page/six", headers=from_("2001:db8:1:3::1"))
    assert calls == [200, 200, 429]
    assert other.status_code == 200


def test_an_instance_limit_can_count_by_subject(limited, fresh, echo):
    """In the edge itself, after the token was judged."""
    ada, bob = (echo.issuer.token(time.time(), sub=sub) for sub in ("ada-here", "bob-here"))
    with limited.client() as client:
        assert statuses(client, "/mine-here/x", 3, headers={"authorization": f"Bearer {ada}"}) == [200, 200, 429]
        assert statuses(client, "/mine-here/x", 1, headers={"authorization": f"Bearer {bob}"}) == [200]


def test_an_instance_limit_is_one_count_for_all_its_routes_redirects_too(limited, fresh):
    """What names a limit falls under it, whatever the route then does."""
    with limited.client() as client:
        assert statuses(client, "/alike/x", 2, headers=from_("10.9.5.1")) == [200, 200]
        assert statuses(client, "/moved-here", 2, headers=from_("10.9.5.1")) == [308, 429]
        assert statuses(client, "/moved-here", 1, headers=from_("10.9.5.2")) == [308]


def test_case_l6_two_limits_at_once_and_the_one_that_blocks_is_told(limited, fresh):
    """Five a second, eight a minute: the second blocks first, then the minute; who waits as told gets through."""
    with limited.client() as client:
        burst = [client.get("/two/x") for _ in range(6)]
        assert [one.status_code for one in burst] == [200] * 5 + [429]
        assert burst[0].headers["ratelimit-policy"] == '"two-second";q=5;w=1'
        assert burst[5].headers["ratelimit"] == '"two-second";r=0;t=1'
        assert burst[5].headers["retry-after"] == "1"
        time.sleep(1)  # what the header asks for
        then = [client.get("/two/x") for _ in range(4)]
    assert [one.status_code for one in then] == [200] * 3 + [429]
    assert then[2].headers["ratelimit-policy"] == '"two-minute";q=8;w=60'
    assert FIELD.fullmatch(then[3].headers["ratelimit"])["left"] == "0"
    assert 1 <= int(then[3].headers["retry-after"]) <= 60
    assert then[3].headers["ratelimit"].endswith(f";t={then[3].headers['retry-after']}")


def test_case_l6_one_value_each_when_here_and_there_both_limit(limited, fresh):
    """The tightest on 200; on 429 the one that blocked, though both have nothing left."""
    with limited.client() as client:
        answers = [client.get("/both/x", headers=from_("10.9.6.1")) for _ in range(5)]
    assert [one.status_code for one in answers] == [200, 200, 429, 429, 429]
    assert [one.headers["ratelimit-policy"] for one in answers] == ['"both";q=2;w=60'] * 4 + ['"both-here";q=4;w=600']
    assert [one.headers["ratelimit"].partition(";t")[0] for one in answers] == [
        '"both";r=1', '"both";r=0', '"both";r=0', '"both";r=0', '"both-here";r=0',
    ]  # fmt: skip
    for one in answers[2:]:
        assert one.headers["ratelimit"].endswith(f";t={one.headers['retry-after']}")
    assert not [name for one in answers for name in one.headers if name.startswith("x-ratelimit")]


def test_case_l6_one_value_each_when_edge_and_bff_both_limit(limited, fresh, echo):
    """A BFF's tighter limit is told instead of the edge's; its 429 passes with its own wait."""
    fewer = ('ratelimit-policy: "bff";q=5;w=9', 'ratelimit: "bff";r=1;t=9')
    echo.answers["/strict/fewer"] = echo.reply(200, b"{}", *fewer)
    echo.answers["/strict/none"] = echo.reply(429, b"{}", fewer[0], 'ratelimit: "bff";r=0;t=9', "retry-after: 9")
    echo.answers["/strict/more"] = echo.reply(200, b"{}", fewer[0], 'ratelimit: "bff";r=99;t=9')
    with limited.client() as client:
        said = {name: client.get(f"/strict/{name}").headers for name in ("fewer", "none", "more")}
    assert (said["fewer"]["ratelimit"], said["fewer"]["ratelimit-policy"]) == ('"bff";r=1;t=9', '"bff";q=5;w=9')
    assert (said["none"]["ratelimit"], said["none"]["retry-after"]) == ('"bff";r=0;t=9', "9")
    assert said["more"]["ratelimit-policy"] == '"strict";q=10;w=60'
    assert all(len(one.get_list(name)) == 1 for one in said.values() for name in ("ratelimit", "ratelimit-policy"))


@pytest.mark.parametrize("length", ["said", "unsaid"])
def test_a_body_that_is_too_large_is_refused_while_the_limiter_is_asked(limited, fresh, length):
    """413 at once, whether it says how large it is or not: asking holds a body back, and it must not stay held."""
    body = b"#" * 4_000_000
    with limited.client() as client:
        content = body if length == "said" else iter([body[:1_000_000]] * 4)
        answer = client.post("/both/x", content=content, headers=from_("10.9.7.1"))
    assert answer.status_code == 413, answer.text
    assert answer.json()["code"] == "payload_too_large"
