"""The rate-limit service: exact limits across a fleet of edges (architecture §6, docs/limits.md).

Envoy asks it (gRPC ``envoy.service.ratelimit.v3``), Valkey counts. It has no configuration of its own: every descriptor
brings its policy along (``policy.py``), so an edge that reloads is obeyed at once and no two files can disagree.
"""
