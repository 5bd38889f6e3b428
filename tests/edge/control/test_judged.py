"""One table of credentials, judged by the BFF, by the edge with the BFF behind it, and by the control service."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.edge.control.credentials_table import ROWS, Row, World
from tests.edge.control.worlds import RunningBff, make_world
from tests.edge.edges import wait_for

PROFILE = "/mobile/v1/profile"
Ask = Callable[[Row], httpx.Response]

# What Envoy's own JWT filter lets pass and the BFF behind it refuses: spellings of one token that Envoy reads in one
# way, so that nobody who believes Envoy can be deceived. Where nobody judges again, the control service has judged.
LEFT_TO_THE_BFF: frozenset[str] = frozenset()


@pytest.fixture(scope="module")
def world(echo, store) -> World:
    return make_world(echo, store.url)


@pytest.fixture(scope="module")
def bffs(echo, store, control, world, tmp_path_factory) -> Iterator[dict[str, RunningBff]]:
    folder = tmp_path_factory.mktemp("bffs")
    signed = {"FRONTAGE_IDENTITY_MODE": "internal", "FRONTAGE_INTERNAL_JWKS_URL": control.jwks_url}
    started = {
        "verify": RunningBff(folder, echo, store.url).launch(),
        "internal": RunningBff(folder, echo, store.url, **signed).launch(),
    }
    yield {name: one.wait() for name, one in started.items()}
    for one in started.values():
        one.stop()


@pytest.fixture(scope="module")
def ask(new_edge, control, bffs, world) -> Iterator[dict[str, Ask]]:
    """Each way of asking, by name."""
    text = Path(__file__).with_name("judged.yaml").read_text()
    at = {name: one.url.removeprefix("http://") for name, one in bffs.items()}
    edge = new_edge(text, CONTROL=control.address, BFF=at["verify"], BFF_INTERNAL=at["internal"])
    with edge.client() as through, httpx.Client(base_url=bffs["verify"].url, trust_env=False) as direct:

        def by(client: httpx.Client, way: str) -> Ask:
            def asked(row: Row) -> httpx.Response:
                headers = [(name, value.encode("latin-1")) for name, value in row.make(world)]
                return client.get(f"{PROFILE}{row.query(world)}", headers=[*headers, ("x-test-way", way)])

            return asked

        made = {way: by(through, way) for way in ("verify", "internal", "alone")} | {"bff": by(direct, "direct")}
        known = {"x-api-key": world.keys["good"]}
        for client, way in ((through, "verify"), (through, "internal"), (direct, "bff")):
            headers = {**known, "x-test-way": way}
            wait_for(lambda c=client, h=headers: c.get(PROFILE, headers=h).status_code == 200, f"{way} knows the keys")
            token = {"authorization": f"Bearer {world.jwt()}", "x-test-way": way}
            wait_for(lambda c=client, h=token: c.get(PROFILE, headers=h).status_code == 200, f"{way} knows the issuer")
        yield made


def said(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "") if answer.status_code >= 400 else ""


@pytest.mark.parametrize("way", ["bff", "verify", "internal"])
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_idn_every_credential_gets_the_same_answer_wherever_it_is_judged(ask, row, way):
    """Status and code: by the BFF alone, through the edge in mode verify, in mode internal by the control service."""
    answer = ask[way](row)
    assert said(answer) == (row.status, row.code), answer.text
    if row.status == 401:
        assert answer.headers["www-authenticate"].startswith(("Bearer", "ApiKey"))
    if row.status == 503:
        assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_idn_the_edge_alone_judges_alike_but_for_spellings(ask, row):
    """With an upstream that judges nothing: only the named spellings of tokens reach it."""
    answer = ask["alone"](row)
    assert said(answer) == ((200, "") if row.name in LEFT_TO_THE_BFF else (row.status, row.code)), answer.text


def test_the_table_is_large_enough():
    """Thirty rows were asked for; and no two have one name."""
    assert len(ROWS) >= 130
    assert len({str(row) for row in ROWS}) == len(ROWS)
