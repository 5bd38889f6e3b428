"""The one client of Valkey (or Redis), which cache, sessions and limits use; and what it means to get no answer."""
