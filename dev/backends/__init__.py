"""The sample backends: users, orders and alerts, three processes over one generated SQLite file."""
