"""How a service of ours answers HTTP: one pure-ASGI middleware or route class in each module."""
