"""Telemetry listens: it reads what the request's ledger recorded and never stands in the request's way."""
