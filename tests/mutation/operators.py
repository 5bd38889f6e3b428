"""Every small way in which a module could be wrong: one mutant a change, made on its syntax tree.

Operators: comparisons (boundary and opposite), arithmetic, ``min`` and ``max``, constants, boolean operators, negated
conditions, return values, removed statements. Left alone: docstrings and messages, annotations, decorators, slots and
type variables, for nothing that a caller can rely on hangs on them.
"""

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

COMPARISONS: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
EXTREMES: Final = {"min": "max", "max": "min"}
REMOVABLE: Final = ast.Expr | ast.Assign | ast.AugAssign | ast.Delete | ast.Raise | ast.Continue | ast.Break


class Mutant(NamedTuple):
    """One changed module: where, what was changed (both stay true when lines move), and its whole source."""

    where: str
    change: str
    line: int
    source: str

    @property
    def key(self) -> str:
        """Name it, for the list of equivalent ones."""
        return f"{self.where}: {self.change}"


class Site(NamedTuple):
    """A node, the function that it stands in, and what may stand in its place."""

    node: ast.AST
    where: str
    others: tuple[ast.AST, ...]


def mutants(source: str) -> list[Mutant]:
    """Return every mutant of a module's source, in the order of its lines."""
    tree = ast.parse(source)
    found: list[Mutant] = []
    seen: Counter[str] = Counter()
    for site in _sites(tree, "module"):
        for other in site.others:
            change = f"{_short(site.node)} -> {_short(other)}"
            key = f"{site.where}: {change}"
            seen[key] += 1
            if seen[key] > 1:  # the same text twice in one function
                change += f" #{seen[key]}"
            changed = ast.unparse(ast.fix_missing_locations(_replaced(tree, site.node, other)))
            found.append(Mutant(site.where, change, getattr(site.node, "lineno", 0), changed))
    return sorted(found, key=lambda one: one.line)


def _sites(node: ast.AST, where: str, function: str = "") -> Iterator[Site]:
    if others := tuple(_others(node, function)):
        yield Site(node, where, others)
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        where = node.name if where == "module" else f"{where}.{node.name}"
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        function = node.name
    for child in _children(node):
        yield from _sites(child, where, function)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may be changed below a node."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_params", "ctx", "op", "ops"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_no_behaviour(child):
                yield child


def _is_no_behaviour(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):  # docstrings, and "..."
        return True
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        value = node.value
        type_variable = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "TypeVar"
        return node.targets[0].id == "__slots__" or type_variable
    return False


def _others(node: ast.AST, function: str) -> Iterator[ast.AST]:
    """Yield what may stand in a node's place."""
    if (operator := OPERATORS.get(type(node))) is not None:
        yield from operator(node)
    if function and isinstance(node, REMOVABLE) and not _is_definition(node, function):
        yield ast.Pass()


def _comparison(node: ast.Compare) -> Iterator[ast.AST]:
    if len(node.ops) == 1:
        for kind in COMPARISONS[type(node.ops[0])]:
            yield _with(node, ops=[kind()])


def _arithmetic(node: ast.BinOp | ast.AugAssign) -> Iterator[ast.AST]:
    if (other := ARITHMETIC.get(type(node.op))) is not None:
        yield _with(node, op=other())


def _boolean(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())


def _negation(node: ast.UnaryOp) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.Not | ast.USub):
        yield node.operand


def _extreme(node: ast.Call) -> Iterator[ast.AST]:
    if isinstance(node.func, ast.Name) and node.func.id in EXTREMES:
        yield _with(node, func=ast.Name(EXTREMES[node.func.id], ast.Load()))


def _constant(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield ast.Constant(value + 1)
    elif isinstance(value, str):
        yield ast.Constant(f"not {value}")


def _return(node: ast.Return) -> Iterator[ast.AST]:
    if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
        yield _with(node, value=ast.Constant(None))


def _filter(node: ast.comprehension) -> Iterator[ast.AST]:
    if len(node.ifs) == 1:
        yield from (_with(node, ifs=[other]) for other in _opposite(node.ifs[0]))


def _condition(node: ast.If | ast.While | ast.IfExp) -> Iterator[ast.AST]:
    yield from (_with(node, test=other) for other in _opposite(node.test))


def _opposite(condition: ast.expr) -> Iterator[ast.AST]:
    if not isinstance(condition, ast.Compare):  # that has its own opposite
        yield ast.UnaryOp(ast.Not(), condition)


OPERATORS: Final[dict[type[ast.AST], Callable[..., Iterator[ast.AST]]]] = {
    ast.Compare: _comparison, ast.BinOp: _arithmetic, ast.AugAssign: _arithmetic, ast.BoolOp: _boolean,
    ast.UnaryOp: _negation, ast.Call: _extreme, ast.Constant: _constant, ast.Return: _return,
    ast.comprehension: _filter, ast.If: _condition, ast.While: _condition, ast.IfExp: _condition,
}  # fmt: skip


def _is_definition(node: ast.AST, function: str) -> bool:
    """Tell whether a removal would only be a NameError or AttributeError: no change that anybody makes unseen."""
    if not isinstance(node, ast.Assign):
        return False
    return function == "__init__" or all(isinstance(one, ast.Name | ast.Tuple) for one in node.targets)


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _replaced(node: ast.AST, target: ast.AST, other: ast.AST) -> ast.AST:
    """Return a copy of a tree with one node changed; the tree itself stays as it is."""
    if node is target:
        return other

    def copied(value: object) -> object:
        if isinstance(value, list):
            return [copied(one) for one in value]
        return _replaced(value, target, other) if isinstance(value, ast.AST) else value

    return _with(node, **{name: copied(value) for name, value in ast.iter_fields(node)})


def _short(node: ast.AST) -> str:
    """Return one line of a node: the condition of an ``if`` and not its body."""
    shown: Callable[[ast.AST], str] = ast.unparse
    if isinstance(node, ast.If | ast.While):
        return f"{type(node).__name__.lower()} {shown(node.test)}"
    if isinstance(node, ast.comprehension):
        return shown(node).strip()
    return " ".join(shown(node).split())
