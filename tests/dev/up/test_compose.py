from pathlib import Path

import pytest

from dev.up.compose import ComposeError, read_compose


def write(folder: Path, text: str) -> Path:
    """Write a compose file."""
    file = folder / "compose.yaml"
    file.write_text(text)
    return file


def test_x_local_holds_only_what_differs(tmp_path: Path) -> None:
    """Its command and address stand in for the image's, its environment is added."""
    file = write(
        tmp_path,
        """
        services:
          store:
            image: x
            environment: {A: 1, B: 2}
            x-local: {command: [python, -m, store], environment: {B: 3, C: 4}, ready: "tcp://127.0.0.1:1234"}
        """,
    )
    (store,) = read_compose(file)
    assert store.command == ("python", "-m", "store")
    assert store.environment == {"A": "1", "B": "3", "C": "4"}
    assert store.ready == "tcp://127.0.0.1:1234"


def test_the_health_check_of_the_container_is_the_readiness_gate_here(tmp_path: Path) -> None:
    """The URL that the check asks inside a container is asked here: one place says what ready means."""
    file = write(
        tmp_path,
        """
        services:
          api:
            command: [python, -m, api]
            healthcheck: {test: [CMD, python, -c, "r.urlopen('http://127.0.0.1:8001/health/ready', timeout=2)"]}
            stop_grace_period: 1m5s
        """,
    )
    (api,) = read_compose(file)
    assert api.ready == "http://127.0.0.1:8001/health/ready"
    assert api.stop_grace_s == 65.0


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    """Five faults, five lines, each with the service and the bad value."""
    file = write(
        tmp_path,
        """
        services:
          a: {image: x, depends_on: [b]}
          b: {command: [b], depends_on: {a: {condition: service_happy}}}
          c: {command: [c], ports: ["eighty"], depends_on: [nobody], x-local: {colour: red}}
        """,
    )
    with pytest.raises(ComposeError) as caught:
        read_compose(file)
    said = str(caught.value)
    for part in (
        "'a' has no command",
        "service_happy",
        "'eighty'",
        "'nobody'",
        "'colour'",
        "wait for each other: a, b",
    ):
        assert part in said
    assert all(line.startswith("compose.yaml: ") for line in said.splitlines())
