import importlib

import pytest
import yaml
from pydantic import SecretStr

from tests.images.dockerfile import ROOT, Dockerfile

FOLDERS = ("bffs/mobile", "bffs/web", "edge/limits")
each = pytest.mark.parametrize("folder", FOLDERS)


def parts(folder: str) -> dict[str, dict]:
    """Return a deployable's manifests by kind."""
    return {part["kind"]: part for part in yaml.safe_load_all((ROOT / folder / "k8s.yaml").read_text())}


@each
def test_the_environment_of_the_deployment_is_what_the_settings_read(folder: str) -> None:
    """A name that no setting knows would be ignored in silence; a value that does not fit would stop every pod."""
    (container,) = parts(folder)["Deployment"]["spec"]["template"]["spec"]["containers"]
    given = {one["name"].removeprefix("FRONTAGE_").lower(): one.get("value") for one in container["env"]}
    secret = {name for name, value in given.items() if value is None}
    package = folder.replace("/", ".")
    module = importlib.import_module(f"{package}.settings")
    settings = getattr(module, f"{package.rpartition('.')[2].title()}Settings")
    assert set(given) <= set(settings.model_fields)
    assert {settings.model_fields[name].annotation for name in secret} <= {SecretStr, SecretStr | None}
    read = settings.model_validate({name: value or "" for name, value in given.items()})
    assert read.mode == "production"
    stop = parts(folder)["Deployment"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert stop > (read.drain_delay + read.drain_grace).total_seconds()
    assert read.port == container["ports"][0]["containerPort"] == parts(folder)["Service"]["spec"]["ports"][0]["port"]


@each
def test_the_pod_is_the_image_s_nobody(folder: str) -> None:
    """The user of the image, no new privileges, nothing writable."""
    pod = parts(folder)["Deployment"]["spec"]["template"]["spec"]
    user = Dockerfile.read(ROOT / folder / "Dockerfile").all("USER")[-1]
    assert f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" == user
    assert pod["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@each
def test_selectors_meet_their_pods(folder: str) -> None:
    """A label changed in one place only leaves a service without endpoints."""
    found = parts(folder)
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"].items()
    for selector in (
        found["Deployment"]["spec"]["selector"]["matchLabels"],
        found["Service"]["spec"]["selector"],
        found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
    ):
        assert selector.items() <= labels


@each
def test_liveness_asks_the_process_alone_and_readiness_what_it_needs(folder: str) -> None:
    """A sick backend must take pods out of rotation, never restart them."""
    (container,) = parts(folder)["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"
    assert container["readinessProbe"]["httpGet"]["path"] == "/health/ready"
