"""The declarative edge: one YAML, its judges, its compiler, and the Envoy that it runs."""
