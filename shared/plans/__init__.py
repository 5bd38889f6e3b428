"""Compiled plans: a GraphQL operation as straight-line Python, over the types and resolvers of its schema.

Owns execution. What may be executed (parsing, validation, limits) is decided before; what a plan cannot say,
graphql-core executes. The two are held to the same answers by a generated corpus (tests/shared/plans).
"""
