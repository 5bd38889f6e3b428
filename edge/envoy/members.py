"""Who is in a cluster and who is fit to be asked: endpoints, active and passive health. The same for L4 and L7."""

from datetime import timedelta
from ipaddress import ip_address
from typing import Final

from edge.envoy.words import Json, seconds, socket_address
from edge.spec.clusters import ClusterSpec, EjectionSpec, EndpointSpec, HealthSpec

# How often ejected endpoints are looked at: an ejection lasts its time and up to this long.
EJECTION_SWEEP: Final = timedelta(seconds=1)
ALWAYS: Final = 100  # per cent


def members(name: str, cluster: ClusterSpec) -> Json:
    """Return the part of a cluster that says who is in it and who is healthy."""
    made: Json = {
        "name": name,
        "connect_timeout": seconds(cluster.connect_timeout),
        # No endpoint healthy: 503 at once, instead of Envoy's habit of sending to all of them (field case O4).
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        **where(name, cluster.endpoints, cluster.health),
    }
    if cluster.health is not None:
        made["health_checks"] = [_health(name, cluster.health)]
        made["ignore_health_on_host_removal"] = True
    if cluster.ejection is not None:
        made["outlier_detection"] = _ejection(cluster.ejection)
    return made


def where(name: str, endpoints: tuple[EndpointSpec, ...], health: HealthSpec | None = None) -> Json:
    """Return the endpoints, how their names are resolved, and the name under which all of it is counted."""
    port = health.port if health else None
    groups = [
        {"priority": priority, "lb_endpoints": [_endpoint(one, port) for one in endpoints if one.priority == priority]}
        for priority in range(max(one.priority for one in endpoints) + 1)
    ]
    made: Json = {"type": "STATIC", "load_assignment": {"cluster_name": name, "endpoints": groups}}
    if "." in name:  # Envoy takes what follows the first dot for a part of every counter's own name
        made["alt_stat_name"] = name.replace(".", "_")
    if not all(_is_ip(endpoint.address.host) for endpoint in endpoints):
        # Container networks speak IPv4; IPv6 where there is nothing else.
        made |= {"type": "STRICT_DNS", "dns_lookup_family": "V4_PREFERRED"}
    return made


def _endpoint(endpoint: EndpointSpec, health_port: int | None) -> Json:
    made: Json = {"address": socket_address(endpoint.address)}
    if health_port is not None:
        made["health_check_config"] = {"port_value": health_port}
    return {"endpoint": made, **({"load_balancing_weight": endpoint.weight} if endpoint.weight > 1 else {})}


def _health(name: str, health: HealthSpec) -> Json:
    interval = seconds(health.interval)
    how: Json = {"tcp_health_check": {}}
    if health.path is not None:
        how = {"http_health_check": {"path": health.path, "host": name}}
    return {
        "timeout": seconds(health.timeout),
        "interval": interval,
        "no_traffic_interval": interval,  # Envoy's default of 60 s would leave a restarted BFF out for a minute
        "unhealthy_threshold": health.unhealthy_after,
        "healthy_threshold": 1,
        **how,
    }


def _ejection(ejection: EjectionSpec) -> Json:
    answers = ejection.counting == "answers"
    return {
        # A refused connection and a 503 are told apart; each kind has its own count and its own switch.
        "split_external_local_origin_errors": True,
        "consecutive_local_origin_failure": ejection.after,
        "enforcing_consecutive_local_origin_failure": ALWAYS,
        "consecutive_5xx": ejection.after,
        "enforcing_consecutive_5xx": ALWAYS if answers else 0,
        "enforcing_consecutive_gateway_failure": 0,
        "enforcing_success_rate": 0,
        "enforcing_local_origin_success_rate": 0,
        "interval": seconds(EJECTION_SWEEP),
        "base_ejection_time": seconds(ejection.time),
        "max_ejection_time": seconds(ejection.time),
        "max_ejection_percent": ejection.at_most_percent,
    }


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
