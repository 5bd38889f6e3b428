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

# By the BFF alone; through the edge with the BFF behind it; in mode internal by the control service; and by the edge
# with nobody behind it who would judge again.
WAYS = ("bff", "verify", "internal", "alone")


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
    try:
        yield {name: one.wait() for name, one in started.items()}
    finally:
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


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_idn_every_credential_gets_the_same_answer_wherever_it_is_judged(ask, row):
    """Status and code, and a challenge or a time to come back where one belongs."""
    answers = {way: ask[way](row) for way in WAYS}
    assert {way: said(answer) for way, answer in answers.items()} == dict.fromkeys(WAYS, (row.status, row.code))
    for answer in answers.values():
        if row.status == 401:
            assert answer.headers["www-authenticate"].startswith(("Bearer", "ApiKey"))
        if row.status == 503:
            assert int(answer.headers["retry-after"]) >= 1


def test_the_table_is_large_enough():
    """Thirty rows were asked for; and no two have one name."""
    assert len(ROWS) >= 130
    assert len({str(row) for row in ROWS}) == len(ROWS)
