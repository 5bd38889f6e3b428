"""The HTTP/2 client for declared calls: many exchanges a connection. h2 keeps the protocol, we keep the promises."""
