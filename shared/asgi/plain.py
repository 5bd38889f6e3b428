"""Reads a request that arrived whole and says nothing odd: a few passes in C instead of a callback for each header.

Owns what is plain enough. A parser decides where a request ends, so two that disagree are an attack (RFC 9112 §11.2):
this one takes only what leaves no room for a second opinion, and ``server_protocol`` gives the parser all the rest.
``tests/shared/asgi/test_plain.py`` holds both to one reading.
"""

from operator import methodcaller
from typing import Final

from shared.asgi.context import Fields

BEGIN: Final = b"GET "
VERSION: Final = b" HTTP/1.1\r\n"
END: Final = b"\r\n\r\n"
PRINTABLE: Final = bytes(range(0x20, 0x7F))
# RFC 9110 §5.6.2, in lower case; and what we put between two names, which is in none of them.
TOKEN: Final = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz\n"
# A body, a say in the connection, or an answer before the answer.
ODD: Final = frozenset(
    {b"", b"connection", b"content-length", b"expect", b"proxy-connection", b"transfer-encoding", b"upgrade"}
)
_name_and_value: Final = methodcaller("split", b": ", 1)


def target_of(data: bytes) -> bytes:
    """Return the target of a request line that begins like a plain one; else nothing."""
    return data[4 : data.find(b" ", 4)] if data.startswith(BEGIN) else b""


def fields_of(data: bytes, target: bytes) -> Fields | None:
    """Return the headers of a whole plain request by their lower-case names; None if it is not one, or one is twice.

    ``target`` is what ``target_of`` found in it, and one that we know.
    """
    end = len(BEGIN) + len(target)
    if not data.startswith(VERSION, end) or not data.endswith(END) or b":  " in data or b" \r" in data:
        return None
    lines = data[end + len(VERSION) : -len(END)].split(b"\r\n")
    if data.translate(None, PRINTABLE) != b"\r\n" * (len(lines) + 2):  # nothing else, and no half of a line end
        return None
    try:
        said = dict(map(_name_and_value, lines))
    except ValueError:  # a line without a colon and a space
        return None
    names = b"\n".join(said).lower()
    if names.translate(None, TOKEN):
        return None
    fields = dict(zip(names.split(b"\n"), said.values(), strict=True))
    return fields if len(fields) == len(lines) and ODD.isdisjoint(fields) else None
