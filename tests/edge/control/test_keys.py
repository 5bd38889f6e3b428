"""``python -m edge keys`` as its users meet it, and what its keys do at the edge."""

import json
import os
import re
import subprocess
import sys
from email.utils import parsedate_to_datetime

import pytest

from shared.identity.api_keys import read_key
from tests.edge.control.controls import keys, listed, made
from tests.edge.edges import wait_for


@pytest.fixture(scope="module")
def client(asking):
    with asking.client() as opened:
        yield opened


def ask(client, key: str, path: str = "/partner/k"):
    return client.get(path, headers={"x-api-key": key})


def test_a_key_is_shown_once_alone_on_stdout(store):
    """So that a script takes it as it is; everything for people is on stderr. As a process, once."""
    done = subprocess.run(
        [sys.executable, "-m", "edge", "keys", "create", "--client", "acme", "--for", "echo", "--env", "test"],
        env={**os.environ, "FRONTAGE_KEYS_URL": store.url}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    key = done.stdout.strip()
    assert done.stdout == f"{key}\n"
    assert read_key(key).env == "test"
    assert "not shown again" in done.stderr
    assert key not in done.stderr
    assert key not in str(store.client.hgetall("frontage:{keys}:records"))
    assert listed(store.url)[read_key(key).id]["client"] == "acme"


def test_the_list_is_a_table_for_people_and_json_for_programs(store):
    """With status and last use; no key and no digest of one."""
    key, key_id = made(
        store.url, "--client", "listed", "--for", "a", "--for", "b", "--scope", "x:read", "--expires", "never"
    )
    table = keys(store.url, "list").stdout
    row = next(line for line in table.splitlines() if key_id in line)
    assert re.split(r"  +", row) == [key_id, "listed", "a,b", "x:read", "active", "never", "-"]
    as_json = keys(store.url, "list", "--json").stdout
    found = next(one for one in json.loads(as_json) if one["id"] == key_id)
    assert (found["audiences"], found["scopes"], found["expires_at"]) == (["a", "b"], ["x:read"], None)
    assert "digest" not in found
    assert key[-20:] not in table + as_json


def test_a_rotated_key_and_its_successor_both_count_and_the_old_one_says_so(store, client):
    """The answer to the old one tells when it ends; the new one has the same rights."""
    key, key_id = made(store.url, "--client", "turning", "--for", "echo")
    done = keys(store.url, "rotate", key_id, "--overlap", "1h")
    assert done.exit_code == 0, done.stderr
    new = done.stdout.strip()
    wait_for(lambda: ask(client, new).status_code == 200, "the new key is known", 5)
    old_answer, new_answer = ask(client, key), ask(client, new)
    assert (old_answer.status_code, new_answer.status_code) == (200, 200)
    ends = parsedate_to_datetime(old_answer.headers["x-api-key-retires"]).timestamp()
    record = listed(store.url)[key_id]
    assert (record["status"], record["expires_at"]) == ("retiring", int(ends))
    assert "x-api-key-retires" not in new_answer.headers
    assert listed(store.url)[read_key(new).id]["rotated_from"] == key_id


def test_a_leaked_key_is_revoked_by_pasting_it(store, client):
    """Who finds it in a log has the key, and not its id at hand. Revoking twice is no mistake."""
    key, key_id = made(store.url, "--client", "leaky", "--for", "echo")
    wait_for(lambda: ask(client, key).status_code == 200, "it is known", 5)
    done = keys(store.url, "revoke", key)
    assert (done.exit_code, key in done.output + done.stderr) == (0, False)
    assert keys(store.url, "revoke", key_id).exit_code == 0
    wait_for(lambda: ask(client, key).status_code == 401, "it is refused", 5)
    assert keys(store.url, "rotate", key_id).exit_code == 1


def test_a_key_is_for_the_bffs_and_rights_that_it_was_made_for(store, client):
    """Another BFF, a scope that it lacks: 403, which is not 401: the key is good."""
    key, _ = made(store.url, "--client", "narrow", "--for", "echo", "--scope", "orders:write")
    wait_for(lambda: ask(client, key).status_code == 200, "it is known", 5)
    for path, wanted in (("/partner/k", 200), ("/other/k", 403), ("/orders/k", 403)):
        answer = ask(client, key, path)
        assert answer.status_code == wanted
        if wanted == 403:
            assert answer.json()["code"] == "forbidden"
            assert answer.headers["www-authenticate"] == 'ApiKey error="insufficient_scope"'


def test_limits_by_subject_count_a_partner_by_its_key_s_client(store, client):
    """Two keys of one client are one partner; another partner has a limit of its own."""
    first, second, other = (
        made(store.url, "--client", name, "--for", "echo")[0] for name in ("counted", "counted", "elsewhere")
    )
    for key in (first, second, other):
        wait_for(lambda one=key: ask(client, one, "/any/k").status_code == 200, "it is known", 5)
    assert [ask(client, key).status_code for key in (first, second) * 3] == [200] * 5 + [429]
    assert ask(client, other).status_code == 200


def test_use_is_noted(store, client):
    """Who rotates wants to know whether the old key is still in use."""
    key, key_id = made(store.url, "--client", "used", "--for", "echo")
    wait_for(lambda: ask(client, key, "/any/k").status_code == 200, "it is known", 5)
    wait_for(lambda: listed(store.url)[key_id]["last_used"], "its use is noted", 10)


@pytest.mark.parametrize(
    ("words", "said"),
    [(("revoke", "AAAAAAAAAAAA"), "no key 'AAAAAAAAAAAA' is known"), (("rotate", "x", "--overlap", "soon"), "'soon'"),
     (("create", "--client", "a", "--for", "b", "--expires", "1y"), "'1y'"),
     (("create", "--client", "a", "--for", "b", "--env", "Live!"), "environment 'Live!'")],
)  # fmt: skip
def test_mistakes_are_named_and_change_nothing(store, words, said):
    """One line, exit 1."""
    before = store.client.get("frontage:{keys}:mark")
    done = keys(store.url, *words)
    assert (done.exit_code, done.stdout) == (1, "")
    assert said in done.stderr
    assert store.client.get("frontage:{keys}:mark") == before


def test_a_store_that_is_away_is_named():
    """And nothing is half done."""
    done = keys("valkey://127.0.0.1:1", "list")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "the store of the keys does not answer" in done.stderr
    assert "FRONTAGE_KEYS_URL" in keys("http://nowhere", "list").stderr
