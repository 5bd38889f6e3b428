"""The limiter as Envoy sees it: how it is asked, and when it is taken for away."""

from typing import Final

from edge.envoy.members import where
from edge.envoy.words import Json, seconds, typed
from edge.spec.clusters import EndpointSpec
from edge.spec.limits import LimiterSpec
from shared.limits.policy import DOMAIN

LIMITER_CLUSTER: Final = "frontage.limiter"


def distributed_filter(limiter: LimiterSpec, stage: int) -> Json:
    """Return a filter that asks the limiter. When it does not answer, ``unjudged`` decides: so, "let pass" here."""
    return typed(
        "envoy.extensions.filters.http.ratelimit.v3.RateLimit",
        domain=DOMAIN,
        stage=stage,
        timeout=seconds(limiter.timeout),
        failure_mode_deny=False,
        disable_x_envoy_ratelimited_header=True,
        rate_limit_service={"transport_api_version": "V3", "grpc_service": asked(LIMITER_CLUSTER, "limits")},
    )


def asked(cluster: str, authority: str) -> Json:
    """Return how a service beside the edge is asked: once more, elsewhere, where provably nobody has heard it.

    So one that restarts loses no question.
    """
    other = {
        "name": "envoy.retry_host_predicates.previous_hosts",
        "typed_config": typed("envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"),
    }
    again = {
        "retry_on": "connect-failure,refused-stream,reset-before-request", "num_retries": 1,
        "retry_host_predicate": [other], "host_selection_retry_max_attempts": 3,
    }  # fmt: skip
    service = {
        "cluster_name": cluster, "authority": authority, "skip_envoy_headers": True, "retry_policy": again,
    }  # fmt: skip
    return {"envoy_grpc": service}


def limiter_cluster(limiter: LimiterSpec) -> Json:
    """Return the limiter's cluster. Nobody waits long for one that is away.

    Three failures take it out at once, for a second; a check each half second brings it back, or takes it out again.
    """
    return beside(LIMITER_CLUSTER, "limits", limiter.endpoints, seconds(limiter.timeout))


def beside(name: str, authority: str, endpoints: tuple[EndpointSpec, ...], patience: str) -> Json:
    """Return the cluster of a service beside the edge; ``patience`` is for a connection and for a check."""
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    pings = {"interval": "10s", "timeout": "2s"}
    return {
        "name": name,
        **where(name, endpoints),
        "lb_policy": "ROUND_ROBIN",
        "connect_timeout": patience,
        "typed_extension_protocol_options": {
            options: typed(
                options, explicit_http_config={"http2_protocol_options": {"connection_keepalive": pings}}
            ),
        },
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "health_checks": [{
            "timeout": patience, "interval": "0.5s", "no_traffic_interval": "0.5s",
            "unhealthy_threshold": 2, "healthy_threshold": 1, "grpc_health_check": {"authority": authority},
        }],
        "outlier_detection": {
            "split_external_local_origin_errors": True,
            "consecutive_local_origin_failure": 3, "enforcing_consecutive_local_origin_failure": 100,
            "consecutive_5xx": 100, "consecutive_gateway_failure": 3, "enforcing_consecutive_gateway_failure": 100,
            "enforcing_success_rate": 0, "enforcing_local_origin_success_rate": 0,
            "interval": "0.5s", "base_ejection_time": "0.5s", "max_ejection_time": "1s", "max_ejection_percent": 100,
        },
        "circuit_breakers": {"thresholds": [{"max_requests": 10_000, "max_pending_requests": 10_000}]},
    }  # fmt: skip
