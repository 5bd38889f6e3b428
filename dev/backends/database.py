"""The sample file: made when it is missing or of another version, opened read-only, copied to be written.

Three processes may start at the same moment. Each that finds no file makes one of its own beside the place and
renames it there: the bytes are the same, so the last one wins and nobody waits or reads half a file.

What is written goes to a copy in the memory of the one process that owns those rows, and ends with it: a demo begins
from the same data each time, and tests of other processes never see each other's.
"""

import os
import sqlite3
from pathlib import Path
from typing import Final

from dev.backends import sample

# "Frnt": says that a file is ours to replace.
APPLICATION_ID: Final = 0x46726E74

# What every record that can be written has: its version, its place in the sequence of changes, and whether it is gone.
RECORD: Final = "seq INTEGER NOT NULL, version INTEGER NOT NULL DEFAULT 1, deleted INTEGER NOT NULL DEFAULT 0"

SCHEMA: Final = f"""
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {sample.VERSION};
CREATE TABLE users (
    id TEXT PRIMARY KEY, name TEXT, tier TEXT, email TEXT, region TEXT, {RECORD}
) WITHOUT ROWID;
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, user TEXT, status TEXT, amount TEXT, currency TEXT, placed_at TEXT, {RECORD},
    drawn_from INTEGER
);
CREATE TABLE alerts (
    id TEXT PRIMARY KEY, user TEXT, severity TEXT, message TEXT, created_at TEXT, {RECORD}, read_at TEXT
) WITHOUT ROWID;
CREATE TABLE products (id TEXT PRIMARY KEY, name TEXT, category TEXT) WITHOUT ROWID;
"""
INDEXES: Final = """
CREATE INDEX orders_of_user ON orders (user, placed_at DESC, id DESC);
CREATE INDEX orders_changed ON orders (user, seq);
CREATE INDEX alerts_of_user ON alerts (user, created_at DESC, id DESC);
CREATE INDEX alerts_changed ON alerts (user, seq);
"""


class NotSampleData(Exception):
    """Something else lies where the sample data should; it is not ours to replace."""


def open_sample(path: Path) -> sqlite3.Connection:
    """Open the sample data at ``path`` read-only, and make it first if need be."""
    if not _is_current(path):
        _make(path)
    # A file in place is never written again: no lock, no journal, and many readers.
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    connection.row_factory = sqlite3.Row
    return connection


def open_copy(path: Path) -> sqlite3.Connection:
    """Return the sample data in memory, to be read and written by this process alone."""
    sample_file = open_sample(path)
    copy = sqlite3.connect(":memory:", isolation_level=None)
    try:
        sample_file.backup(copy)
    finally:
        sample_file.close()
    copy.row_factory = sqlite3.Row
    return copy


def _is_current(path: Path) -> bool:
    if not path.exists() or path.stat().st_size == 0:
        return False
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            (owner,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        raise NotSampleData(f"{path} is no SQLite file; move it away, or set FRONTAGE_DATABASE") from error
    if owner != APPLICATION_ID:
        raise NotSampleData(f"{path} holds other data; move it away, or set FRONTAGE_DATABASE")
    return bool(version == sample.VERSION)


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    connection = sqlite3.connect(draft)
    try:
        connection.executescript(SCHEMA)
        # The rows come oldest first, so their numbers are a sequence of changes that a phone can begin with.
        for table, columns, rows in (
            ("users", "id, name, tier, email, region", sample.users()),
            ("orders", "id, user, status, amount, currency, placed_at", sample.orders()),
            ("alerts", "id, user, severity, message, created_at", sample.alerts()),
        ):
            marks = ", ".join("?" * (columns.count(",") + 2))
            numbered = ((*row, number) for number, row in enumerate(rows, 1))
            connection.executemany(f"INSERT INTO {table} ({columns}, seq) VALUES ({marks})", numbered)  # noqa: S608 - ours
        connection.executemany("INSERT INTO products VALUES (?, ?, ?)", sample.products())
        connection.commit()
        connection.executescript(INDEXES)
        connection.close()
        draft.replace(path)
    finally:
        connection.close()
        draft.unlink(missing_ok=True)
