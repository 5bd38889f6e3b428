"""How to call backends: declared calls, sections, the fan-out, and the transports under them."""
