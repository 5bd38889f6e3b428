import copy
import importlib
from pathlib import Path
from urllib.parse import urlsplit

import kubernetes_validate
import pytest
from pydantic import SecretStr

from edge.prepare import prepare
from tests.images.dockerfile import ROOT, Dockerfile
from tests.images.manifests import FOLDERS, documents, environment, label, parts, peers, pod, port

each = pytest.mark.parametrize("folder", FOLDERS)
each_of_python = pytest.mark.parametrize("folder", [one for one in FOLDERS if one != "edge"])
# The oldest that a provider still supports, and the newest that is known.
VERSIONS = ("1.32", kubernetes_validate.latest_version())
KINDS = {"Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler", "NetworkPolicy"}
# After delay and grace: connections close, traces leave.
TO_CLOSE_S = 5
STORE = ("valkey", 6379)
SECRET = "valkey://a-secret:6379"


@each
@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_what_kubernetes_takes(folder: str, version: str) -> None:
    """Judged by its own schemas: every key, every type, nothing unknown."""
    found = documents(folder)
    assert {one["kind"] for one in found} == KINDS
    for one in found:
        kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_judge_notices_a_slip_of_the_pen(kind: str) -> None:
    """A key that Kubernetes would drop in silence."""
    bad = copy.deepcopy(parts("bffs/mobile")[kind])
    bad["spec"]["maxUnavailabel"] = 1
    with pytest.raises(kubernetes_validate.ValidationError, match="maxUnavailabel"):
        kubernetes_validate.validate(bad, VERSIONS[1], strict=True)


@each
def test_what_ends_a_pod_waits_for_its_drain(folder: str) -> None:
    """SIGKILL comes after everything that SIGTERM sets off, or it would cut what a drain is for (field case O1)."""
    given = environment(folder)
    if folder == "edge":
        drain_s = float(given["EDGE_DRAIN_DELAY_S"] or 0) + float(given["EDGE_DRAIN_GRACE_S"] or 0)
    else:
        read = settings_of(folder)
        graces = 1 + ("grpc_listen" in type(read).model_fields)  # for callers over HTTP, then for those over gRPC
        drain_s = (read.drain_delay + graces * read.drain_grace).total_seconds()
        # Envoy asks once a second: within the delay, every edge has heard the "not ready".
        assert read.drain_delay.total_seconds() >= 2
    assert pod(folder)["terminationGracePeriodSeconds"] >= drain_s + TO_CLOSE_S
    rolling = parts(folder)["Deployment"]["spec"]
    assert rolling["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    # The TTL of a name in the cluster, Envoy's refresh of names, and one health check.
    assert rolling["minReadySeconds"] >= 5 + 5 + 1


@each
def test_the_autoscaler_decides_how_many_and_never_fewer_than_two(folder: str) -> None:
    """Two, of which a drained node may take one; a number in the Deployment would undo it with each deploy."""
    found = parts(folder)
    scaler = found["HorizontalPodAutoscaler"]["spec"]
    assert scaler["scaleTargetRef"]["name"] == found["Deployment"]["metadata"]["name"]
    assert "replicas" not in found["Deployment"]["spec"]
    assert scaler["minReplicas"] > found["PodDisruptionBudget"]["spec"]["maxUnavailable"] >= 1
    (container,) = pod(folder)["containers"]
    assert "cpu" in container["resources"]["requests"]  # what the utilisation is a share of
    assert "cpu" not in container["resources"]["limits"]


def settings_of(folder: str):
    """Return the settings that the container's environment makes; its secrets are addresses of stores."""
    package = folder.replace("/", ".")
    module = importlib.import_module(f"{package}.settings")
    settings = getattr(module, f"{package.rpartition('.')[2].title()}Settings")
    given = {
        name.removeprefix("FRONTAGE_").lower(): SECRET if value is None else value
        for name, value in environment(folder).items()
    }
    return settings.model_validate(given)


def called(folder: str) -> set[tuple[str, int]]:
    """Return whom a deployable calls, by its own configuration."""
    given = environment(folder)
    if folder == "edge":
        compiled = prepare(Path("edge/edge.yaml"), {name: value or "" for name, value in given.items()}).compiled
        assert compiled is not None
        lists = [one["load_assignment"]["endpoints"] for one in compiled.clusters]
        sockets = [
            one["endpoint"]["address"]["socket_address"]
            for found in lists
            for group in found
            for one in group["lb_endpoints"]
        ]
        return {(one["address"], one["port_value"]) for one in sockets if one["address"] != "127.0.0.1"}
    urls = [urlsplit(value) for value in given.values() if value and "://" in value]
    ours = {(one.hostname or "", one.port or 0) for one in urls}
    return ours | ({STORE} if "FRONTAGE_STORE_URL" in given else set())


@each
def test_a_pod_may_call_whom_it_calls_and_nobody_else(folder: str) -> None:
    """And whoever of ours is called lets it in, on that port."""
    policy = parts(folder)["NetworkPolicy"]["spec"]
    allowed = peers(policy["egress"], "to")
    assert allowed == called(folder)
    ours = {label(one): one for one in FOLDERS}
    for name, number in allowed:
        if name in ours:
            lets_in = peers(parts(ours[name])["NetworkPolicy"]["spec"]["ingress"], "from")
            assert (label(folder), number) in {(who, port(ours[name], on)) for who, on in lets_in}


@each
def test_only_the_edge_is_open_to_everybody(folder: str) -> None:
    """Others take connections of the edge alone (the limiter, also of a BFF that charges what operations cost).

    Prometheus may read the metrics, whose port the pod says.
    """
    found = parts(folder)
    policy = found["NetworkPolicy"]["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    open_ports = [one["port"] for rule in policy["ingress"] if "from" not in rule for one in rule["ports"]]
    assert open_ports == (["https", "http"] if folder == "edge" else [])
    expected = {"edge": set(), "edge/limits": {"edge", "web"}}.get(folder, {"edge"})
    assert {who for who, _ in peers(policy["ingress"], "from")} == expected
    scraped = [rule["ports"][0]["port"] for rule in policy["ingress"] if "namespaceSelector" in str(rule.get("from"))]
    said = found["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    assert [port(folder, one) for one in scraped] == [int(said["prometheus.io/port"])]


@each_of_python
def test_the_environment_of_the_deployment_is_what_the_settings_read(folder: str) -> None:
    """A name that no setting knows would be ignored in silence; a value that does not fit would stop every pod."""
    given = {name.removeprefix("FRONTAGE_").lower(): value for name, value in environment(folder).items()}
    secret = {name for name, value in given.items() if value is None}
    read = settings_of(folder)
    fields = type(read).model_fields
    assert set(given) <= set(fields)
    assert {fields[name].annotation for name in secret} <= {SecretStr, SecretStr | None}
    assert read.mode == "production"
    assert read.port == port(folder, "http") == parts(folder)["Service"]["spec"]["ports"][0]["port"]


@each
def test_the_pod_is_the_image_s_nobody(folder: str) -> None:
    """The user of the image, no new privileges, nothing writable."""
    user = Dockerfile.read(ROOT / folder / "Dockerfile").all("USER")[-1]
    found = pod(folder)
    assert f"{found['securityContext']['runAsUser']}:{found['securityContext']['runAsGroup']}" == user
    assert found["containers"][0]["securityContext"] == {
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
        found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    ):
        assert selector.items() <= labels


@each
def test_liveness_asks_the_process_alone_and_readiness_what_it_needs(folder: str) -> None:
    """A sick backend must take pods out of rotation, never restart them."""
    (container,) = pod(folder)["containers"]
    assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"
    assert container["readinessProbe"]["httpGet"]["path"] == "/health/ready"
