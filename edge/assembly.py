"""The edge as one: ``edge.yaml`` and its fragments, with every name resolved.

Owns what a name means: a fragment's own policy first, then a shared one; routes of a fragment carry its name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from edge.spec.access import MaintenanceSpec
from edge.spec.files import EdgeSpec, FragmentSpec, IncludeSpec
from edge.spec.l4 import L4Spec
from edge.spec.limits import LimitSpec
from edge.spec.listeners import ListenerSpec
from edge.spec.policies import AuthSpec
from edge.spec.routes import RouteSpec


@dataclass(frozen=True, slots=True)
class OwnedRoute:
    """A route, its full name, and the fragment it came from (None: ``edge.yaml`` itself)."""

    name: str
    owner: str | None
    spec: RouteSpec


@dataclass(frozen=True, slots=True)
class Edge:
    """What the judges judge and the compiler compiles."""

    spec: EdgeSpec
    fragments: Mapping[str, FragmentSpec] = field(default_factory=dict)

    def routes(self) -> Iterator[OwnedRoute]:
        """Yield every route, in the order of the files."""
        for route in self.spec.routes:
            yield OwnedRoute(route.name, None, route)
        for owner, fragment in self.fragments.items():
            for route in fragment.routes:
                yield OwnedRoute(f"{owner}.{route.name}", owner, route)

    def limits(self) -> dict[str, LimitSpec]:
        """Return every limit by its full name."""
        own = {
            f"{owner}.{name}": limit
            for owner, fragment in self.fragments.items()
            for name, limit in fragment.policies.limits.items()
        }
        return {**self.spec.policies.limits, **own}

    def limit_name(self, owner: str | None, name: str) -> str | None:
        """Return the full name of the limit that ``owner`` means by ``name``, or None."""
        known = self.limits()
        candidates = [f"{owner}.{name}", name] if owner else [name]
        return next((candidate for candidate in candidates if candidate in known), None)

    def route_limits(self, route: OwnedRoute) -> dict[str, LimitSpec]:
        """Return the limits of a route by their full names, in the route's order."""
        known = self.limits()
        names = (self.limit_name(route.owner, name) for name in route.spec.limits)
        return {name: known[name] for name in names if name is not None}

    def auth(self, route: OwnedRoute) -> AuthSpec | None:
        """Return the route's auth policy, if it has one."""
        return self.spec.policies.auth.get(route.spec.auth) if route.spec.auth else None

    def maintenance(self, route: OwnedRoute) -> MaintenanceSpec | None:
        """Return how long a route is closed, by itself or with its fragment; None when it is open."""
        own = route.spec.maintenance
        return own or (self.include(route.owner).maintenance if route.owner else None)

    def include(self, owner: str) -> IncludeSpec:
        """Return what was granted to a fragment."""
        return self.spec.include[owner]

    def serving(self) -> dict[str, ListenerSpec]:
        """Return the listeners that serve routes: all that do not redirect."""
        return {name: listener for name, listener in self.spec.listeners.items() if listener.redirect is None}

    def l4(self) -> Iterator[tuple[str, L4Spec]]:
        """Yield every TCP and UDP entry, with its protocol."""
        for entry in self.spec.tcp:
            yield "tcp", entry
        for entry in self.spec.udp:
            yield "udp", entry
