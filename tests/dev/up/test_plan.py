from pathlib import Path

import pytest

from dev.up.compose import ComposeError, Port, Service
from dev.up.plan import make_plan, stop_waves
from dev.up.state import RunFolder

RUN = RunFolder(Path("/state"), 1000)


def service(name: str, **fields: object) -> Service:
    """Return a service that needs nothing but a name."""
    given = {
        "command": ("python", "-m", name),
        "environment": {},
        "ports": (),
        "needs": {},
        "ready": None,
        "address": None,
        "stop_grace_s": 10.0,
        "faults": False,
    }
    return Service(name=name, **{**given, **fields})


def port(number: int, host: str = "127.0.0.1") -> tuple[Port, ...]:
    """Publish one port as itself."""
    return (Port(host=host, published=number, target=number),)


def plan(*services: Service, offset: int = 1000):
    """Plan these services, by name."""
    return {spec.name: spec for spec in make_plan(services, offset=offset, run=RUN, python="/py")}


def test_a_service_named_in_a_value_becomes_its_address_here() -> None:
    """Every ``service:port`` is shifted by the offset; what only looks like one is left alone."""
    specs = plan(
        service("users", ports=port(8101)),
        service(
            "mobile",
            environment={
                "USERS": "http://users:8101/x",
                "OTHER": "http://users.example.test:8101",
                "LIST": "users:8101,users:8101",
                "WORD": "urn:users:note",
            },
        ),
    )
    assert specs["mobile"].environment == {
        "USERS": "http://127.0.0.1:9101/x",
        "OTHER": "http://users.example.test:8101",
        "LIST": "127.0.0.1:9101,127.0.0.1:9101",
        "WORD": "urn:users:note",
    }


def test_a_service_listens_as_widely_as_compose_publishes_it() -> None:
    """0.0.0.0 inside a container means loopback here, unless the port is published on all addresses."""
    specs = plan(
        service("mobile", ports=port(8001), environment={"LISTEN": "0.0.0.0:8001"}),
        service("edge", ports=port(8443, "0.0.0.0"), environment={"LISTEN": "0.0.0.0:8443", "ELSE": "0.0.0.0:1234"}),
    )
    assert specs["mobile"].environment["LISTEN"] == "127.0.0.1:9001"
    assert specs["edge"].environment == {"LISTEN": "0.0.0.0:9443", "ELSE": "0.0.0.0:1234"}
    assert specs["edge"].ports == (("0.0.0.0", 9443),)


def test_health_url_and_shown_address_move_with_the_offset() -> None:
    """Two copies never ask each other's health."""
    specs = plan(
        service("edge", ports=port(8443), ready="http://127.0.0.1:8443/ready", address="https://localhost:8443")
    )
    assert specs["edge"].ready == "http://127.0.0.1:9443/ready"
    assert specs["edge"].address == "https://localhost:9443"


def test_folders_and_python_are_filled_in() -> None:
    """``{state}`` is shared by copies, ``{run}`` is this copy's own."""
    specs = plan(service("tls", command=("python", "-m", "tls", "{state}/tls", "{run}/x")))
    assert specs["tls"].command == ("/py", "-m", "tls", "/state/tls", "/state/run-1000/x")
    assert specs["tls"].log == Path("/state/run-1000/logs/tls.log")


def test_a_port_that_nobody_publishes_is_refused() -> None:
    """A typo in a URL is found before anything starts."""
    with pytest.raises(ComposeError, match=r"mobile names users:8110, but users publishes 8101"):
        plan(service("users", ports=port(8101)), service("mobile", environment={"U": "http://users:8110"}))


def test_an_offset_beyond_the_last_port_is_refused() -> None:
    """With the service, the port and the bound."""
    with pytest.raises(ComposeError, match=r"edge to 68443; ports end at 65535"):
        plan(service("edge", ports=port(8443)), offset=60000)


def test_who_is_waited_for_starts_first_and_stops_last() -> None:
    """The edge goes first, alone; those that nothing stands between go together."""
    specs = make_plan(
        [
            service("edge", needs={"mobile": "service_healthy", "web": "service_healthy"}),
            service("mobile", needs={"users": "service_healthy"}),
            service("web", needs={"users": "service_healthy"}),
            service("users"),
        ],
        offset=0,
        run=RUN,
        python="/py",
    )
    assert [spec.name for spec in specs] == ["users", "mobile", "web", "edge"]
    assert stop_waves(specs) == (("edge",), ("mobile", "web"), ("users",))
