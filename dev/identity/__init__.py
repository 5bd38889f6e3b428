"""The sample identity provider: discovery, published keys, and a token for whoever is asked for."""
