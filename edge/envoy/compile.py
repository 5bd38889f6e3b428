"""Puts the parts together: what Envoy starts with, and what it reads again when we replace it.

Owns the shape on disk (filesystem xDS) and the shape for ``envoy --mode validate`` (the same, all static).
"""

from dataclasses import dataclass, field
from typing import Final

from edge.assembly import Edge
from edge.envoy import limits
from edge.envoy.clusters import compile_clusters
from edge.envoy.l4 import l4_listeners
from edge.envoy.listeners import compile_listener
from edge.envoy.operations import operations_listener
from edge.envoy.protection import overload_manager
from edge.envoy.routes import compile_routes
from edge.envoy.tls import Stamps, link_name, secret_files
from edge.envoy.words import TYPES, Json, config_file, socket_address

CLUSTERS_FILE: Final = "clusters.json"
LISTENERS_FILE: Final = "listeners.json"

# Spans leave as fast as our services' own (Envoy's 5 s would make a developer wait for the edge's part of a trace).
RUNTIME: Final = {
    "tracing.opentelemetry.flush_interval_ms": 250,
    # A chunk that is longer than it says is an attack, not a slip (RFC 9112 §7.1 lets a server be patient).
    "envoy.reloadable_features.strict_chunk_parsing": True,
    **limits.RUNTIME,
}


@dataclass(frozen=True, slots=True)
class Compiled:
    """What Envoy gets: clusters, and per listener a route table."""

    edge: Edge
    clusters: list[Json]
    routes: dict[str, Json]
    stamps: Stamps = field(default_factory=dict)

    def files(self, folder: str) -> dict[str, Json]:
        """Return the xDS files, by name, in an order in which nothing names what is not there."""
        files = {CLUSTERS_FILE: _resources("envoy.config.cluster.v3.Cluster", self.clusters)}
        for name, table in self.routes.items():
            files[routes_file(name)] = _resources("envoy.config.route.v3.RouteConfiguration", [table])
        listeners = []
        for name, listener in self.edge.spec.listeners.items():
            if listener.tls is not None:
                files |= dict(secret_files(name, listener.tls, self.stamps, folder))
            source = config_file(f"{folder}/{routes_file(name)}", folder)
            listeners.append(
                compile_listener(
                    self.edge, name, listener, {"rds": {"route_config_name": name, "config_source": source}}, folder
                )
            )
        files[LISTENERS_FILE] = _resources("envoy.config.listener.v3.Listener", [*listeners, *self._others()])
        return files

    def links(self) -> dict[str, str]:
        """Return the names by which Envoy reads the files of certificates."""
        return {link_name(stamp): file for file, stamp in self.stamps.items()}

    def bootstrap(self, folder: str) -> Json:
        """Return what Envoy starts with: its administration, and where to read the rest."""
        dynamic = {
            "cds_config": config_file(f"{folder}/{CLUSTERS_FILE}", folder),
            "lds_config": config_file(f"{folder}/{LISTENERS_FILE}", folder),
        }
        return {**_common(self.edge), "dynamic_resources": dynamic}

    def whole(self) -> Json:
        """Return everything in one file, as ``envoy --mode validate`` reads it."""
        listeners = [
            compile_listener(self.edge, name, listener, {"route_config": self.routes[name]})
            for name, listener in self.edge.spec.listeners.items()
        ]
        static = {"clusters": self.clusters, "listeners": [*listeners, *self._others()]}
        return {**_common(self.edge), "static_resources": static}

    def _others(self) -> list[Json]:
        """Return the listeners without a route table of people's."""
        return [*l4_listeners(self.edge), *operations_listener(self.edge)]


def compile_edge(edge: Edge, stamps: Stamps | None = None) -> Compiled:
    """Compile an edge that the judges found sound; ``stamps`` tell the certificates' contents apart."""
    tables = {name: compile_routes(edge, name, listener) for name, listener in edge.spec.listeners.items()}
    return Compiled(edge, compile_clusters(edge), tables, stamps or {})


def routes_file(listener: str) -> str:
    """Return the name of a listener's route table."""
    return f"routes-{listener}.json"


def _resources(message: str, resources: list[Json]) -> Json:
    return {"resources": [{"@type": TYPES + message, **one} for one in resources]}


def _common(edge: Edge) -> Json:
    return {
        "node": {"id": edge.spec.telemetry.service, "cluster": edge.spec.telemetry.service},
        "admin": {"address": socket_address(edge.spec.admin.address)},
        "application_log_config": {
            "log_format": {
                "json_format": {
                    "timestamp": "%Y-%m-%dT%T.%e", "level": "%l", "service": edge.spec.telemetry.service,
                    "logger": "%n", "event": "%j",
                },
            },
        },
        "layered_runtime": {"layers": [{"name": "frontage", "static_layer": RUNTIME}]},
        "overload_manager": overload_manager(edge.spec.protection),
        "stats_config": {"use_all_default_tags": True},
    }  # fmt: skip
