"""Records that are written: one table of this process's copy, its versions and its sequence of changes.

Owns what every write does: it raises the record's version, and moves the record to the end of the sequence. So each
record stands once in the sequence, with what it is now or as a tombstone, and whoever reads on from a place misses
nothing. The sequence ends with the process; ``epoch`` tells one from the next.
"""

import sqlite3
from secrets import token_hex
from typing import Any, Final, NamedTuple

Row = dict[str, Any]
# A record that was written has a version of this process; one that was not has the same in all.
UNTOUCHED: Final = 1


class Page(NamedTuple):
    """Some records, and whether there are more."""

    rows: list[Row]
    more: bool


class Changes(NamedTuple):
    """Records as they are now, in the order of their last change; read on from ``next``."""

    rows: list[Row]
    next: str
    more: bool
    reset: bool


class Records:
    """One table. ``columns`` say what is read of a row and under which names, ``id_name`` which of these is its id.

    SQL here is made of our own text alone.
    """

    def __init__(self, database: sqlite3.Connection, table: str, columns: str, *, newest_by: str, id_name: str) -> None:
        self.database = database
        self._table = table
        self._columns = columns
        self._id = id_name
        self._order = f"{newest_by} DESC, id DESC"
        self._key = f"({newest_by}, id)"
        self._seq: int = database.execute(f"SELECT max(seq) FROM {table}").fetchone()[0]  # noqa: S608 - ours
        self.epoch = token_hex(4)

    def select(self, where: str, *values: object) -> list[Row]:
        """Return the records that are there and for which ``where`` holds."""
        return self._read(f"NOT deleted AND {where}", *values)

    def one(self, where: str, *values: object) -> Row | None:
        """Return the first of them."""
        return next(iter(self.select(f"{where} LIMIT 1", *values)), None)

    def was_deleted(self, id_: object) -> bool:
        """Tell whether a record of that id is gone: its tombstone keeps the id."""
        return bool(self._read("deleted AND id = ?", id_))

    def among(self, ids: list[str], where: str, *values: object) -> list[Row]:
        """Return those of these ids, in their order; an id that nobody has, or not he who asks, is left out."""
        marks = ", ".join("?" * len(ids))
        found = {str(row[self._id]): row for row in self.select(f"{where} AND id IN ({marks})", *values, *ids)}
        return [found[one] for one in dict.fromkeys(ids) if one in found]

    def newest(self, limit: int, after: tuple[str, str] | None, where: str, *values: object) -> Page:
        """Return the newest records that are older than ``after`` (its time and id): a keyset, so none shifts."""
        if after is not None:
            where, values = f"{where} AND {self._key} < (?, ?)", (*values, *after)
        rows = self.select(f"{where} ORDER BY {self._order} LIMIT ?", *values, limit + 1)
        return Page(rows[:limit], more=len(rows) > limit)

    def changes(self, since: str, limit: int, where: str, *values: object) -> Changes:
        """Return what changed after a place; all of it when the place is of another process."""
        epoch, _, place = since.partition(".")
        known = epoch == self.epoch and place.isascii() and place.isdigit()
        at = int(place) if known else 0
        rows = self._read(f"{where} AND seq > ? ORDER BY seq LIMIT ?", *values, at, limit + 1)
        more = len(rows) > limit
        rows = rows[:limit]
        # At the end, everything up to now has been looked at, also what others changed.
        end = rows[-1]["seq"] if more else max(at, self._seq)
        return Changes(rows, f"{self.epoch}.{end}", more, reset=not known)

    def change(self, id_: object, **values: object) -> None:
        """Write some columns of a record."""
        self._seq += 1
        sets = ", ".join(f"{column} = ?" for column in values)
        self.database.execute(
            f"UPDATE {self._table} SET {sets}, version = version + 1, seq = ? WHERE id = ?",  # noqa: S608 - ours
            (*values.values(), self._seq, id_),
        )

    def add(self, **values: object) -> None:
        """Write a new record."""
        self._seq += 1
        values["seq"], values["version"] = self._seq, UNTOUCHED + 1
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        self.database.execute(
            f"INSERT INTO {self._table} ({columns}) VALUES ({marks})",  # noqa: S608 - ours
            tuple(values.values()),
        )

    def version(self, row: Row) -> str:
        """Return a record's version as clients see it."""
        return "1" if row["version"] == UNTOUCHED else f"{row['version']}.{self.epoch}"

    def _read(self, where: str, *values: object) -> list[Row]:
        query = f"SELECT {self._columns}, seq, version, deleted FROM {self._table} WHERE {where}"  # noqa: S608 - ours
        return [dict(row) for row in self.database.execute(query, values)]
