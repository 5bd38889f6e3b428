"""The control service: judges the credentials that Envoy cannot, and signs for the BFFs (docs/identity.md).

Envoy asks it (gRPC ``envoy.service.auth.v3``). Like the limiter it has no routes of its own: every question brings its
route's policy along (``policy.py``), so an edge that reloads is obeyed at once and no two files can disagree.
"""
