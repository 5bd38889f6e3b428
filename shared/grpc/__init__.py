"""gRPC's unary calls over HTTP/2, and no more of either: what an edge asks the services beside it.

Ours, because the general servers cost ten times what a check does (docs/performance.md). It keeps RFC 9113's duties:
flow control both ways, resets, GOAWAY, header tables, and its own limits on what a peer may make it hold or do.
"""
