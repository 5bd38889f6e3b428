"""The viewer's SQLite file: its schema, and how it is opened.

One statement in ``store.py`` writes it, ``search.py`` reads it; nobody else knows the tables.
"""

import sqlite3
from pathlib import Path
from typing import Final

SCHEMA_VERSION: Final = 1

SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS traces (
  number INTEGER PRIMARY KEY AUTOINCREMENT, trace_id TEXT UNIQUE NOT NULL, start_us INTEGER NOT NULL,
  touched_us INTEGER NOT NULL, spans INTEGER NOT NULL DEFAULT 0, dropped INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS traces_by_start ON traces (start_us);
CREATE TABLE IF NOT EXISTS spans (
  trace INTEGER NOT NULL REFERENCES traces (number) ON DELETE CASCADE, span_id TEXT NOT NULL,
  parent_id TEXT NOT NULL, service TEXT NOT NULL, name TEXT NOT NULL, start_us INTEGER NOT NULL,
  duration_us INTEGER NOT NULL, body TEXT NOT NULL, process TEXT NOT NULL, UNIQUE (trace, span_id));
CREATE INDEX IF NOT EXISTS spans_by_service ON spans (service, name);
PRAGMA user_version = {SCHEMA_VERSION};
"""


class ForeignDatabase(sqlite3.DatabaseError):
    """The file is a database, but of another version."""


def open_database(database: str) -> sqlite3.Connection:
    """Open the file; one that cannot be read (damaged, another version) is set aside and a new one begun."""
    path = Path(database)
    if database != ":memory:":
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _connect(database)
    except sqlite3.OperationalError:
        raise  # locked, or no right to it: not ours to move
    except sqlite3.DatabaseError:
        path.replace(f"{database}.unreadable")
        for suffix in ("-wal", "-shm"):
            Path(database + suffix).unlink(missing_ok=True)
        return _connect(database)


def _connect(database: str) -> sqlite3.Connection:
    db = sqlite3.connect(database, check_same_thread=False)
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version not in {0, SCHEMA_VERSION}:
            raise ForeignDatabase(f"schema version {version}, not {SCHEMA_VERSION}")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = OFF")  # a power cut may cost traces, never anything else
        db.executescript(SCHEMA)
    except sqlite3.DatabaseError:
        db.close()
        raise
    return db
