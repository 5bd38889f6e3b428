"""One module a screen: its sections, its answer, and the plain function between them."""
