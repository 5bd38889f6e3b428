"""What the sample file holds, and how it comes to be."""

import sqlite3
import time
import unicodedata
from decimal import Decimal
from pathlib import Path

import pytest

from dev.backends import sample
from dev.backends.database import NotSampleData, open_sample


@pytest.fixture
def database(sample_file: Path):
    """Return an open connection to the sample."""
    connection = open_sample(sample_file)
    yield connection
    connection.close()


def test_there_is_as_much_as_promised(database: sqlite3.Connection) -> None:
    """At least 1,000 users, 20,000 orders, 5,000 alerts; u-1 has six orders or more, some users have none."""

    def count(what: str) -> int:
        return int(database.execute(f"SELECT count(*) FROM {what}").fetchone()[0])  # noqa: S608 - our own text

    assert count("users") >= 1_000
    assert (count("orders"), count("alerts")) == (20_000, 5_000)
    assert count("orders WHERE user = 'u-1'") >= 6
    assert count("alerts WHERE user = 'u-1'") >= 1
    assert count("users WHERE id NOT IN (SELECT user FROM orders)") >= 100
    assert count("orders WHERE user NOT IN (SELECT id FROM users)") == 0
    assert count("alerts WHERE user NOT IN (SELECT id FROM users)") == 0


def test_ids_are_beyond_what_a_double_holds(database: sqlite3.Connection) -> None:
    """Every order id is a whole number that changes when it is read as a double."""
    ids = [row[0] for row in database.execute("SELECT id FROM orders")]

    assert len(set(ids)) == len(ids)
    assert all(type(one) is int and int(float(one)) != one for one in ids)


def test_money_is_decimal_text(database: sqlite3.Connection) -> None:
    """Amounts have exactly the decimals of their currency, none, two or three."""
    rows = database.execute("SELECT DISTINCT amount, currency FROM orders").fetchall()

    assert {row["currency"] for row in rows} == {"EUR", "USD", "JPY", "KWD"}
    for amount, currency in rows:
        assert -int(Decimal(amount).as_tuple().exponent) == sample.DECIMALS[currency]
        assert "E" not in amount


def test_names_come_in_many_scripts(database: sqlite3.Connection) -> None:
    """Greek, Arabic, CJK, Cyrillic, emoji, combining marks, an apostrophe: whatever breaks first breaks here."""
    names = "".join(row[0] for row in database.execute("SELECT name FROM users"))

    for script in ("GREEK", "ARABIC", "CJK", "HIRAGANA", "HANGUL", "HEBREW", "CYRILLIC", "DEVANAGARI"):
        assert any(unicodedata.name(letter, "").startswith(script) for letter in names), script
    assert any(unicodedata.combining(letter) for letter in names)
    assert any(ord(letter) > 0xFFFF for letter in names)
    assert "'" in names


def test_the_sample_is_the_same_everywhere(sample_file: Path, tmp_path: Path) -> None:
    """Made again, it has the same bytes, within two seconds of work."""
    started = time.process_time()
    open_sample(tmp_path / "again.sqlite").close()

    assert time.process_time() - started < 2
    assert (tmp_path / "again.sqlite").read_bytes() == sample_file.read_bytes()


def test_a_file_of_another_version_is_made_anew(tmp_path: Path) -> None:
    """A stale file never answers; the new one takes its place whole."""
    path = tmp_path / "folder that is not there" / "sample.sqlite"
    open_sample(path).close()
    with sqlite3.connect(path) as stale:
        stale.execute("DELETE FROM users")
        stale.execute(f"PRAGMA user_version = {sample.VERSION - 1}")
    stale.close()

    connection = open_sample(path)

    assert connection.execute("SELECT name FROM users WHERE id = 'u-1'").fetchone()[0] == "Ada"
    connection.close()
    assert [one.name for one in path.parent.iterdir()] == ["sample.sqlite"]


def test_a_file_in_use_is_not_made_again(sample_file: Path) -> None:
    """Opening a current file leaves it alone, and the connection cannot write."""
    before = sample_file.stat()
    connection = open_sample(sample_file)

    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM users")
    connection.close()
    assert sample_file.stat().st_ino == before.st_ino


@pytest.mark.parametrize("content", ["text", "sqlite"])
def test_other_data_is_never_replaced(content: str, tmp_path: Path) -> None:
    """A wrong path in FRONTAGE_DATABASE costs nobody a file."""
    path = tmp_path / "precious"
    if content == "text":
        path.write_text("precious " * 200)
    else:
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE precious (id)")
        other.close()
    before = path.read_bytes()

    with pytest.raises(NotSampleData, match="FRONTAGE_DATABASE"):
        open_sample(path)
    assert path.read_bytes() == before


def test_an_empty_file_is_a_missing_one(tmp_path: Path) -> None:
    """Docker and touch make such files."""
    (tmp_path / "empty").touch()

    open_sample(tmp_path / "empty").close()
    assert (tmp_path / "empty").stat().st_size > 1_000_000
