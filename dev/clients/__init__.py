"""Typed clients made from the contracts, and what judges the OpenAPI documents: the part of us that is Node's."""
