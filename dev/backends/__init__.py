"""The sample backends: users, orders and alerts, three processes, each with a copy of one generated SQLite file."""
