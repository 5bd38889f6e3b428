"""Small judges: each looks at the whole edge for one kind of fault and yields what it finds.

Owns the list. No judge stops another (house-style §2, YARP's validators): a person sees every fault at once.
"""

from collections.abc import Callable, Iterator
from typing import Final

from edge.assembly import Edge
from edge.problems import Problem
from edge.rules import (
    actions,
    credentials,
    fragments,
    l4,
    later,
    limits,
    listeners,
    matches,
    policies,
    references,
    timeouts,
)

Judge = Callable[[Edge], Iterator[Problem]]

# A judge's name is the rule's name, and the name of its pair of files under tests/edge/bad/.
JUDGES: Final[tuple[Judge, ...]] = (
    references.unknown_cluster,
    references.unknown_policy,
    references.unknown_issuer,
    credentials.missing_control,
    credentials.nothing_to_check,
    credentials.idle_issuers,
    credentials.unfit_claims,
    credentials.mixed_audience,
    credentials.unprotected_hop,
    matches.bad_path,
    matches.identical_matches,
    matches.never_matches,
    matches.duplicate_name,
    actions.bad_rewrite,
    actions.reserved_header,
    actions.without_upstream,
    actions.retried_twice,
    actions.lost_prefix,
    actions.hash_without_key,
    fragments.outside_prefix,
    fragments.outside_cluster,
    fragments.dropped_policy,
    fragments.overlapping_prefixes,
    fragments.idle_exemption,
    listeners.serves_nothing,
    listeners.plain_listener,
    listeners.bad_redirect,
    listeners.address_taken,
    listeners.idle_proxies,
    listeners.bad_host,
    listeners.exposed_admin,
    l4.not_for_udp,
    l4.unchecked_udp,
    l4.leads_nowhere,
    l4.taken_name,
    policies.weak_algorithm,
    policies.timeout_too_short,
    policies.check_slower_than_interval,
    timeouts.racing_idle,
    timeouts.slower_than_route,
    timeouts.idle_beyond_life,
    limits.missing_limiter,
    limits.undecided_failure,
    limits.unfit_algorithm,
    limits.unfit_window,
    limits.anonymous_key,
    limits.cost_above_limit,
    limits.idle_cost,
    later.later_release,
)


def judge(edge: Edge) -> list[Problem]:
    """Ask every judge."""
    return sorted(problem for one in JUDGES for problem in one(edge))
