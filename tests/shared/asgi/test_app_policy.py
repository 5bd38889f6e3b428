"""Versions of apps: how they are read and compared, and what a file of them may say."""

import os
from pathlib import Path

import pytest

from shared.asgi.app_policy import PlatformPolicy, read_policy, release_of
from shared.errors import ProblemCode, ProblemError

GOOD = """
[ios]
minimum = "3.0"
recommended = "4.2.0"
deprecated = 2026-10-01T00:00:00Z
sunset = 2027-01-31T00:00:00+01:00
link = "https://example.com/update"

[Android]
minimum = "2"
"""


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("3", (3,)), ("3.0", (3,)), ("3.0.0", (3,)), ("3.10", (3, 10)), ("0", ()), (" 4.2.1 ", (4, 2, 1)),
        ("4.2.0-beta.3", (4, 2)), ("4.2.0+817", (4, 2)), ("4.2.0 (817)", (4, 2)), ("1.2.3.4", (1, 2, 3, 4)),
        ("", None), ("v3", None), ("3.", None), ("1.2.3.4.5", None), ("-1", None), ("9" * 7, None), ("\u0663", None),
        ("4.2;drop", None), ("1e9", None),
    ],
)  # fmt: skip
def test_a_version_is_numbers_with_dots(text: str, release: tuple[int, ...] | None) -> None:
    """Compared as numbers, not as text; a beta is of its version; whatever else is none."""
    assert release_of(text) == release


def test_a_file_is_read(tmp_path: Path) -> None:
    """Platforms in any case; an old version is told in three standard headers and one of ours."""
    (tmp_path / "apps.toml").write_text(GOOD)
    policy = read_policy(tmp_path / "apps.toml")

    assert set(policy) == {"ios", "android"}
    assert dict(policy["ios"].judge((4, 1, 9))) == {
        b"x-app-recommended-version": b"4.2.0",
        b"deprecation": b"@1790812800",
        b"sunset": b"Sat, 30 Jan 2027 23:00:00 GMT",
        b"link": b'<https://example.com/update>; rel="sunset"',
    }
    assert policy["ios"].judge((4, 2)) == policy["ios"].judge((4, 10)) == policy["android"].judge((2,)) == ()


def test_what_is_too_old_is_refused() -> None:
    """426 that says what is served, and where to get it."""
    with pytest.raises(ProblemError) as refused:
        PlatformPolicy(minimum="3.0", link="https://example.com/update").judge((2, 99))

    assert refused.value.code is ProblemCode.UPGRADE_REQUIRED
    assert "3.0 and newer" in refused.value.detail
    assert refused.value.headers == {"link": '<https://example.com/update>; rel="latest-version"'}


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ('[ios]\n\nminimum = "x"\n', ":3: ios minimum 'x'", "pattern"),
        ("[ios]\nminimum = 3.0\n", ":2: ios minimum 3.0", "string"),
        ('[ios]\nlink = "https://a.b"\n', ":1: ios minimum", "required"),
        ('[a]\nminimum = "1"\n[ios]\nminimum = "3"\nrecommended = "2"\n', ":3: ios", "before minimum"),
        ('[ios]\nminimum = "3"\nsunset = 2027-01-31T00:00:00Z\n', ":1: ios", "give one"),
        ('[ios]\nminimum = "3"\nrecommended = "4"\nsunset = 2027-01-31T00:00:00\n', ":1: ios", "offset"),
        ('[ios]\nminimum = "3"\nlink = "javascript:x"\n', ":3: ios link", "pattern"),
        ('[ios]\nminimum = "3"\nlink = "https://a/>;x"\n', ":3: ios link", "pattern"),
        ('[ios]\nminimum = "3"\nmaximum = "4"\n', ":3: ios maximum '4'", "not permitted"),
        ('ios = "3"\n', ":1: ios", "dictionary"),
        ("[ios\n", "line 1", "docs/mobile.md"),
    ],
    ids=lambda value: value[:24],
)  # fmt: skip
def test_a_wrong_file_is_named(tmp_path: Path, text: str, place: str, said: str) -> None:
    """File, line, value and what is wrong with it."""
    file = tmp_path / "apps.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match="FRONTAGE_APP_POLICY") as wrong:
        read_policy(file)

    assert str(file) in str(wrong.value)
    assert place in str(wrong.value)
    assert said in str(wrong.value)


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    """Two platforms, two faults, one message; a file that is not there is one, too."""
    (tmp_path / "apps.toml").write_text('[ios]\nminimum = "x"\n[android]\nminimum = "y"\n')
    with pytest.raises(ValueError, match=r":2: ios.*:4: android"):
        read_policy(tmp_path / "apps.toml")
    with pytest.raises(ValueError, match="No such file"):
        read_policy(tmp_path / f"missing-{os.getpid()}.toml")
