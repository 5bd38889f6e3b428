"""One module a screen of newcomer: its sections, its answer, and the plain function between them."""
