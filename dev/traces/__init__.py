"""The local trace viewer: OTLP in, a bounded store, Jaeger's JSON out, and the waterfall.

It stands in for Jaeger on a laptop and in tests; in containers and clusters the same spans go to Jaeger itself.
"""
