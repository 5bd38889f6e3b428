"""The store's URL: every form means one thing, every fault is named, and no password is shown."""

import pytest
from pydantic import SecretStr

from shared.settings import StoreSettings
from shared.store.address import StoreAddress, Topology, read_address

GOOD = {
    "valkey://cache": {"hosts": (("cache", 6379),)},
    "redis://cache:7000/3": {"hosts": (("cache", 7000),), "database": 3},
    "redis://[::1]:7000": {"hosts": (("::1", 7000),)},
    "valkeys://cache:6380": {"hosts": (("cache", 6380),), "tls": True},
    "rediss://cache?ca=/tls/ca.pem": {"hosts": (("cache", 6379),), "tls": True, "ca": "/tls/ca.pem"},
    "valkeys://cache?certificate=/tls/us.pem&key=/tls/us.key": {
        "hosts": (("cache", 6379),), "tls": True, "certificate": "/tls/us.pem", "key": "/tls/us.key",
    },
    "valkey://frontage:p%40ss%2Fw%3Ard@cache": {
        "hosts": (("cache", 6379),), "user": "frontage", "password": "p@ss/w:rd",
    },
    "valkey://:secret@cache": {"hosts": (("cache", 6379),), "password": "secret"},
    "valkey+sentinel://a,b:26380/main": {
        "topology": Topology.SENTINEL, "hosts": (("a", 26379), ("b", 26380)), "group": "main",
    },
    "redis+sentinel://u:p@a/main/2?sentinel_user=s&sentinel_password=t": {
        "topology": Topology.SENTINEL, "hosts": (("a", 26379),), "group": "main", "database": 2,
        "user": "u", "password": "p", "sentinel_user": "s", "sentinel_password": "t",
    },
    "valkey+cluster://a,b:7001,c": {
        "topology": Topology.CLUSTER, "hosts": (("a", 6379), ("b", 7001), ("c", 6379)),
    },
    "rediss+cluster://a": {"topology": Topology.CLUSTER, "hosts": (("a", 6379),), "tls": True},
}  # fmt: skip

BAD = {
    "cache:6379": "valkey://host:6379",
    "http://cache": "valkey://host:6379",
    "valkey+mirror://cache": "write .sentinel, .cluster",
    "valkey+cluster+sentinel://cache": "write .sentinel, .cluster",
    "valkey://": "write host:port",
    "valkey://cache:port": "write host:port",
    "valkey://cache:99999": "write host:port",
    "valkey://a,b": r"write \+cluster or \+sentinel",
    "valkey://cache/main": "number of a database",
    "valkey://cache/1/2": "number of a database",
    "valkey+cluster://a/1": "leave out the path",
    "valkey+sentinel://a": "write …/main",
    "valkey://cache?ca=/tls/ca.pem": "write valkeys",
    "valkeys://cache?certificate=/tls/us.pem": "write both or none",
    "valkeys://cache?ssl_ca_certs=/tls/ca.pem": "known are ca, certificate, key",
}


@pytest.mark.parametrize("url", GOOD)
def test_every_form_means_one_thing(url: str) -> None:
    """Host, port, database, group, credentials, TLS: all of it, and the rest as it is without."""
    assert read_address(url) == StoreAddress(**{"topology": Topology.SINGLE, **GOOD[url]})


@pytest.mark.parametrize("url", BAD)
def test_a_fault_says_what_to_write(url: str) -> None:
    """The message names what is wrong and the remedy."""
    with pytest.raises(ValueError, match=BAD[url]):
        read_address(url)


@pytest.mark.parametrize("url", ["valkey://u:s3cret@a/b", "s3cret://a", "valkey://u:s3cret@a:b", "valkey://a?s=s3cret"])
def test_no_fault_shows_a_password(url: str) -> None:
    """Neither the message, nor the settings, nor an address' repr; whatever is wrong names the variable."""
    settings = StoreSettings(listen="127.0.0.1:1", store_url=SecretStr(url))

    with pytest.raises(ValueError, match="FRONTAGE_STORE_URL: ") as fault:
        _ = settings.store

    assert "s3cret" not in str(fault.value).replace("'s3cret'", "") or url.startswith("s3cret")
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in repr(read_address("valkey://u:s3cret@a"))


def test_without_a_url_there_is_no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset or empty: an optional secret of a cluster is an empty variable."""
    assert StoreSettings(listen="127.0.0.1:1").store is None
    monkeypatch.setenv("FRONTAGE_STORE_URL", "")
    assert StoreSettings(listen="127.0.0.1:1").store is None
    monkeypatch.setenv("FRONTAGE_STORE_URL", "valkey://cache")
    assert StoreSettings(listen="127.0.0.1:1").store == read_address("valkey://cache")
