"""Resilience policies: pure, clock injected, without HTTP and without telemetry."""
