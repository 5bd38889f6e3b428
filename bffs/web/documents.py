"""Makes the manifest of trusted documents out of a client's code: ``python -m bffs.web documents <folder>``.

Owns how code is read. ``.graphql`` and ``.gql`` files are documents; in JavaScript and TypeScript, the templates tagged
``gql`` or ``graphql`` are. A fragment may stand in any file of the folder; each operation becomes one document of its
own, with the fragments that it needs, in the order in which it needs them.

Each is in the manifest twice: as written, and with the ``__typename`` that Apollo Client and urql add to every
selection before they send or hash a document.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

from bffs.web.prepare import Preparer, Refused
from bffs.web.trusted import id_of

DOCUMENTS: Final = frozenset({".graphql", ".gql"})
SCRIPTS: Final = frozenset({".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".tsx", ".vue", ".html"})
# A tag, or the comment that editors know; then a template.
TAGGED: Final = re.compile(r"(?:\b(?:gql|graphql)\s*(?:\(\s*)?|/\*\s*GraphQL\s*\*/\s*)`((?:[^`\\]|\\.)*)`")
INTERPOLATED: Final = re.compile(r"\$\{[^}]*\}")
TYPENAME: Final = FieldNode(name=NameNode(value="__typename"), arguments=(), directives=())


class Source(NamedTuple):
    """One piece of GraphQL in a client's code."""

    file: Path
    line: int
    text: str

    def fault(self, line: int, said: str) -> str:
        """Say what is wrong, and where."""
        return f"{self.file}:{self.line + line - 1}: {said}"


class Definitions(NamedTuple):
    """All that a client's code defines, each with where it stands."""

    operations: list[tuple[OperationDefinitionNode, Source]]
    fragments: dict[str, tuple[FragmentDefinitionNode, Source]]


def manifest_of(folder: Path, preparer: Preparer) -> dict[str, str]:
    """Return id to text for all operations below a folder, in the order of their ids.

    Raises ValueError with every fault, each with file and line: syntax, names given twice, what the schema refuses.
    """
    faults: list[str] = []
    found = _definitions(sources_in(folder), faults)
    texts: dict[str, str] = {}
    for operation, source in found.operations:
        line = operation.loc.start_token.line if operation.loc else 1
        try:
            document = _document(operation, found.fragments)
            for one in (document, with_typenames(document)):
                text = print_ast(one)
                preparer.prepare(text)
                texts[id_of(text)] = text
        except LookupError as missing:
            faults.append(source.fault(line, f"fragment {missing.args[0]} is defined nowhere below {folder}"))
        except Refused as refused:
            faults += [source.fault(line, one.message) for one in refused.errors]
    if not found.operations and not faults:
        faults.append(f"{folder}: no operation in any file; name the folder of the client's code")
    if faults:
        raise ValueError("\n".join(faults))
    return dict(sorted(texts.items()))


def sources_in(folder: Path) -> Iterator[Source]:
    """Give every piece of GraphQL below a folder, installed packages left out."""
    for file in sorted(folder.rglob("*")):
        if "node_modules" in file.parts or not file.is_file():
            continue
        if file.suffix in DOCUMENTS:
            yield Source(file, 1, file.read_text(encoding="utf-8"))
        elif file.suffix in SCRIPTS:
            code = file.read_text(encoding="utf-8")
            for match in TAGGED.finditer(code):
                yield Source(file, code.count("\n", 0, match.start(1)) + 1, match[1])


def _definitions(sources: Iterable[Source], faults: list[str]) -> Definitions:
    found = Definitions([], {})
    names: dict[str, str] = {}
    for source in sources:
        for definition in _parsed(source, faults):
            line = definition.loc.start_token.line if definition.loc else 1
            name = definition.name.value if definition.name else None
            if name is None:
                faults.append(source.fault(line, "an operation without a name: nobody could look it up"))
                continue
            if name in names:
                faults.append(source.fault(line, f"{name} is defined at {names[name]} already; rename one of them"))
                continue
            names[name] = f"{source.file}:{source.line + line - 1}"
            if isinstance(definition, FragmentDefinitionNode):
                found.fragments[name] = (definition, source)
            else:
                found.operations.append((definition, source))
    return found


def _parsed(source: Source, faults: list[str]) -> Iterator[OperationDefinitionNode | FragmentDefinitionNode]:
    """Give what a piece defines. Fragments that a template interpolates are found by their names."""
    for match in INTERPOLATED.finditer(source.text):
        before = source.text[: match.start()]
        if before.count("{") != before.count("}"):
            faults.append(source.fault(before.count("\n") + 1, "interpolation inside of a document; use a variable"))
            return
    try:
        document = parse(INTERPOLATED.sub("", source.text))
    except GraphQLSyntaxError as fault:
        if source.text.strip():
            line = fault.locations[0].line if fault.locations else 1
            faults.append(source.fault(line, fault.message))
        return
    for one in document.definitions:
        if isinstance(one, OperationDefinitionNode | FragmentDefinitionNode):
            yield one


def _document(
    operation: OperationDefinitionNode, fragments: dict[str, tuple[FragmentDefinitionNode, Source]]
) -> DocumentNode:
    """Return an operation with the fragments that it needs. Raises LookupError for one that is nowhere."""
    needed: dict[str, FragmentDefinitionNode] = {}
    left = list(_spreads(operation))
    while left:
        name = left.pop(0)
        if name not in needed:
            needed[name] = fragments[name][0]
            left = [*_spreads(needed[name]), *left]
    return DocumentNode(definitions=(operation, *needed.values()))


class _Spreads(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
        self.names.append(node.name.value)


def _spreads(node: OperationDefinitionNode | FragmentDefinitionNode) -> list[str]:
    visitor = _Spreads()
    visit(node, visitor)
    return visitor.names


class _Typenames(Visitor):
    def leave_selection_set(self, node: SelectionSetNode, _key: object, parent: object, *_: object) -> object:
        if isinstance(parent, OperationDefinitionNode):
            return None
        names = [one.name.value for one in node.selections if isinstance(one, FieldNode)]
        if any(name.startswith("__") for name in names):
            return None
        return SelectionSetNode(selections=(*node.selections, TYPENAME))


def with_typenames(document: DocumentNode) -> DocumentNode:
    """Return a document as Apollo Client and urql send it: ``__typename`` last in every selection but the root's."""
    changed = visit(document, _Typenames())
    assert isinstance(changed, DocumentNode)  # noqa: S101 - what goes in comes out
    return changed
