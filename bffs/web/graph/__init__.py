"""One module a type family: the clients' types, their sections, and the plain functions between them."""
