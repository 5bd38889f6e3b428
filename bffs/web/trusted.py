"""Trusted documents: what a client's code asks for, known by the SHA-256 of its text before it is deployed.

Owns the manifest (``documents.json``: id to text) and what it means. How it is made of a client's code is
``documents.py``. An id resolves to what the manifest says, and nothing that is sent is ever added to it: an "automatic
persisted query" that registers itself would be a free-form one with a detour.
"""

import json
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

from bffs.web.prepare import Preparer, Refused
from shared.errors import ProblemCode, ProblemError

ID: Final = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
# What Apollo's persisted query link listens for: it then sends the text, too.
SEND_THE_TEXT: Final = "PersistedQueryNotFound"
REMEDY: Final = "make it with `python -m bffs.web documents <folder of the client>`"


def id_of(text: str) -> str:
    """Return a document's id. Half of a surrogate pair has no UTF-8, and no document that counts has one."""
    return sha256(text.encode(errors="surrogatepass")).hexdigest()


class TrustedDocuments:
    """The documents of one deployment."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = dict(texts)

    def __len__(self) -> int:
        return len(self._texts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts.values())

    def text(self, query: str | None, document_id: str | None, *, may_send_text: bool) -> str:
        """Return the text that is meant. Raises ProblemError for what is not trusted, and for an id of another text."""
        if query is None:
            found = self._texts.get(_plain(document_id or ""))
            if found is None:
                raise ProblemError(
                    ProblemCode.NOT_FOUND, SEND_THE_TEXT if may_send_text else "No trusted document has this id."
                )
            return found
        if document_id is not None and _plain(document_id) != id_of(query):
            raise ProblemError(ProblemCode.INVALID_REQUEST, "The id is not the SHA-256 of the text.")
        if not may_send_text and id_of(query) not in self._texts:
            raise ProblemError(ProblemCode.FORBIDDEN, "Only trusted documents are executed here: send the id of one.")
        return query


def _plain(document_id: str) -> str:
    found = ID.fullmatch(document_id.lower())
    return found[1] if found else ""


def read_manifest(file: Path, preparer: Preparer) -> TrustedDocuments:
    """Read a manifest and prepare all of it. Raises ValueError with every fault: file, id, what is wrong, remedy."""
    try:
        texts = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise ValueError(f"{file}: no manifest can be read ({type(fault).__name__}); {REMEDY}") from None
    if not isinstance(texts, dict):
        raise ValueError(f"{file}: not one object of ids and texts; {REMEDY}")  # noqa: TRY004 - a setting's fault
    judged = {key: _fault(key, text, preparer) for key, text in texts.items()}
    if faults := [f"{file}: {key}: {found}; {REMEDY}" for key, found in judged.items() if found]:
        raise ValueError("\n".join(faults))
    return TrustedDocuments(texts)


def _fault(key: str, text: object, preparer: Preparer) -> str | None:
    if not isinstance(text, str) or key != id_of(text):
        return "the id is not the SHA-256 of its text"
    try:
        preparer.prepare(text)
    except Refused as refused:
        return " ".join(one.message for one in refused.errors)
    return None
