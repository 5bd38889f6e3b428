"""Limits, as far as both who counts and who is counted must agree on them: policies, arithmetic, messages, charging."""
