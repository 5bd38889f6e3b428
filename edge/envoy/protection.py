"""Shedding load before falling over (Envoy's overload manager): by heap, and by connections of all listeners."""

from typing import Final

from edge.envoy.words import Json, typed
from edge.spec.listeners import ProtectionSpec

HEAP: Final = "envoy.resource_monitors.fixed_heap"
CONNECTIONS: Final = "envoy.resource_monitors.global_downstream_max_connections"
# Shares of the heap at which something is given up, the cheapest first.
SHRINK, SHORTEN, REFUSE_REQUESTS, REFUSE_CONNECTIONS = 0.85, 0.90, 0.95, 0.98
LOOK_EVERY: Final = "0.25s"


def overload_manager(protection: ProtectionSpec) -> Json:
    """Return the monitors and what they set off."""
    heap = typed(
        "envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig", max_heap_size_bytes=protection.memory
    )
    connections = typed(
        "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
        max_active_downstream_connections=protection.connections,
    )
    return {
        "refresh_interval": LOOK_EVERY,
        "resource_monitors": [
            {"name": HEAP, "typed_config": heap},
            {"name": CONNECTIONS, "typed_config": connections},
        ],
        "actions": [
            _action("shrink_heap", {"threshold": {"value": SHRINK}}),
            {
                # Idle connections may stay for less and less time: whoever holds many of them pays first.
                **_action("reduce_timeouts", {"scaled": {"scaling_threshold": SHORTEN, "saturation_threshold": 1.0}}),
                "typed_config": typed(
                    "envoy.config.overload.v3.ScaleTimersOverloadActionConfig",
                    timer_scale_factors=[{"timer": "HTTP_DOWNSTREAM_CONNECTION_IDLE", "min_timeout": "2s"}],
                ),
            },
            _action("stop_accepting_requests", {"threshold": {"value": REFUSE_REQUESTS}}),
            _action("stop_accepting_connections", {"threshold": {"value": REFUSE_CONNECTIONS}}),
        ],
    }


def _action(name: str, trigger: Json) -> Json:
    return {"name": f"envoy.overload_actions.{name}", "triggers": [{"name": HEAP, **trigger}]}
