"""The Kubernetes manifests of every deployable, as a cluster would read them."""

from typing import Any

import yaml

from tests.images.dockerfile import ROOT

FOLDERS = tuple(
    str(path.parent.relative_to(ROOT))
    for path in sorted([*ROOT.glob("bffs/*/k8s.yaml"), *ROOT.glob("edge/**/k8s.yaml")])
)
NAME = "app.kubernetes.io/name"


def documents(folder: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((ROOT / folder / "k8s.yaml").read_text()))


def parts(folder: str) -> dict[str, dict[str, Any]]:
    """Return a deployable's manifests by kind."""
    return {part["kind"]: part for part in documents(folder)}


def pod(folder: str) -> dict[str, Any]:
    return parts(folder)["Deployment"]["spec"]["template"]["spec"]


def environment(folder: str) -> dict[str, str | None]:
    """Return what the container is given; None is a secret."""
    (container,) = pod(folder)["containers"]
    return {one["name"]: one.get("value") for one in container["env"]}


def label(folder: str) -> str:
    """Return the name that its pods carry, by which others' policies know them."""
    return parts(folder)["Deployment"]["spec"]["template"]["metadata"]["labels"][NAME]


def port(folder: str, wanted: int | str) -> int:
    """Return a container port by its number or its name."""
    (container,) = pod(folder)["containers"]
    return next(one["containerPort"] for one in container["ports"] if wanted in one.values())


def peers(rules: list[dict[str, Any]], way: str) -> set[tuple[str, int | str]]:
    """Return the pods of our own namespace that rules name, each with a port; ``way`` is ``from`` or ``to``."""
    return {
        (peer["podSelector"]["matchLabels"][NAME], one["port"])
        for rule in rules
        for peer in rule.get(way, ())
        if "namespaceSelector" not in peer
        for one in rule["ports"]
    }
