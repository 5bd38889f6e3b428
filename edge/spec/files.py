"""The two kinds of file: the platform team's ``edge.yaml``, and each BFF's fragment with what was granted to it."""

from typing import Annotated

from pydantic import Field, StringConstraints

from edge.spec.access import MaintenanceSpec
from edge.spec.base import Name, Names, Spec
from edge.spec.clusters import ClusterSpec
from edge.spec.l4 import L4Spec
from edge.spec.limits import LimiterSpec, LimitSpec
from edge.spec.listeners import AdminSpec, ListenerSpec, OperationsSpec, ProtectionSpec, TelemetrySpec
from edge.spec.policies import ControlSpec, PoliciesSpec
from edge.spec.routes import MatchSpec, RouteSpec


class ExemptSpec(Spec):
    """One exact match of a fragment that may go without some required policies: granted here, not taken there."""

    match: MatchSpec
    policies: Annotated[Names, Field(min_length=1)]


class IncludeSpec(Spec):
    """What the platform team grants one BFF: a file of its own, a prefix, a cluster; and what it must keep."""

    file: str
    prefix: Annotated[str, StringConstraints(pattern=r"^/[^{}]*[^{}/]$")]
    cluster: str | None = None
    policies: Names = ()
    # Only where FRONTAGE_MODE is local: elsewhere neither the routes exist nor is the file read.
    local: bool = False
    # Closes all routes of the fragment.
    maintenance: MaintenanceSpec | None = None
    exempt: tuple[ExemptSpec, ...] = ()


class EdgeSpec(Spec):
    """The whole of ``edge.yaml``."""

    listeners: dict[Name, ListenerSpec] = Field(default_factory=dict)
    routes: tuple[RouteSpec, ...] = ()
    clusters: dict[Name, ClusterSpec] = Field(default_factory=dict)
    policies: PoliciesSpec = PoliciesSpec()
    include: dict[Name, IncludeSpec] = Field(default_factory=dict)
    limiter: LimiterSpec | None = None
    control: ControlSpec | None = None
    protection: ProtectionSpec = ProtectionSpec()
    telemetry: TelemetrySpec = TelemetrySpec()
    admin: AdminSpec
    operations: OperationsSpec = OperationsSpec()
    tcp: tuple[L4Spec, ...] = ()
    udp: tuple[L4Spec, ...] = ()


class FragmentPoliciesSpec(Spec):
    """A BFF may bring limits of its own; issuers and auth stay with the platform team."""

    limits: dict[Name, LimitSpec] = Field(default_factory=dict)


class FragmentSpec(Spec):
    """The whole of a BFF's ``edge.yaml``."""

    routes: tuple[RouteSpec, ...] = ()
    policies: FragmentPoliciesSpec = FragmentPoliciesSpec()
