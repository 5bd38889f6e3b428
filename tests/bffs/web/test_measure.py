"""How large a document may be: each limit at its edge, and what that leaves to validation."""

import time
from collections.abc import Callable
from random import Random

import pytest
from graphql import parse, validate

from bffs.web.measure import LIMITS, TooLargeError, refuse_too_large
from bffs.web.prepare import MAX_TOKENS, RULES
from bffs.web.schema import schema

# The worst that these documents take on an idle machine is 40 ms, and 0.5 s without the measure; a busy one gets five
# times as long, and the best of three.
MAX_VALIDATION_S = 0.2
MAX_MEASURE_S = 0.02


def measured(text: str) -> str:
    """What the measure says of a document; nothing when it fits."""
    try:
        refuse_too_large(parse(text))
    except TooLargeError as fault:
        return str(fault)
    return ""


def nested(depth: int) -> str:
    return "{" + "a {" * (depth - 1) + "a" + "}" * depth


def roots(many: int) -> str:
    return "{" + " ".join(f"a{n}" for n in range(many)) + "}"


def aliases(many: int) -> str:
    return "{ v {" + " ".join(f"a{n}: b" for n in range(many)) + "} }"


def same(many: int) -> str:
    return "{ v {" + " b" * many + "} }"


def fragments(many: int) -> str:
    return "{ a }" + "".join(f" fragment F{n} on A {{ b }}" for n in range(many))


def expanded(many: int) -> str:
    """Twenty fields, each with a fragment of that many different ones."""
    inside = " ".join(f"b{n}" for n in range(many // 20 - 2))
    return "{ v {" + " ".join(f"a{n} {{ ...F }}" for n in range(20)) + f"}} }} fragment F on A {{ {inside} }}"


EDGES: dict[str, tuple[Callable[[int], str], int, str]] = {
    "depth": (nested, LIMITS.depth, "at most 16 deep"),
    "root_fields": (roots, LIMITS.root_fields, "at most 10 root fields"),
    "aliases": (aliases, LIMITS.aliases, "at most 30 aliases"),
    "pairs": (same, 63, "one name in one place"),  # 63 * 62 / 2 = 1953
    "fragments": (fragments, LIMITS.fragments, "at most 60 fragments"),
}


@pytest.mark.parametrize(("made", "most", "said"), EDGES.values(), ids=EDGES)
def test_a_limit_is_inside_and_one_more_is_not(made: Callable[[int], str], most: int, said: str) -> None:
    """The error says which limit it is."""
    assert measured(made(most)) == ""
    assert said in measured(made(most + 1))


def test_fields_count_as_often_as_they_are_expanded() -> None:
    """A short document can be a long one."""
    assert measured(expanded(1900)) == ""
    assert "at most 2000 fields" in measured(expanded(2200))


CYCLES = {
    "itself": "{ a { ...A } } fragment A on A { ...A }",
    "each_other": "{ a { ...A } } fragment A on A { b ...B } fragment B on A { ...A }",
    "through_a_field": "{ a { ...A } } fragment A on A { b { ...B } } fragment B on A { b { ...A } }",
    "nobody_spreads_it": "{ a } fragment A on A { b { ...A } }",
    "many_at_once": "{ a { ...F0 } }" + "".join(
        f" fragment F{n} on A {{ b {{ ...F{(n + 1) % 50} }} c {{ ...F{(n + 7) % 50} }} }}" for n in range(50)
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", CYCLES.values(), ids=CYCLES)
def test_a_cycle_ends(text: str) -> None:
    """In the limit on depth or on fields, or in validation; never in Python's own, and at once."""
    began = time.process_time()
    measured(text)
    assert time.process_time() - began < 1


def test_a_fragment_counts_once_in_one_place() -> None:
    """Fifty that spread the next one twice are fifty, and not 2^50."""
    chain = "".join(f" fragment F{n} on A {{ ...F{n + 1} ...F{n + 1} }}" for n in range(50))
    assert measured("{ v { ...F0 } }" + chain + " fragment F50 on A { b }") == ""


# What validation takes

FIELDS = {
    "Query": {"viewer": "Viewer", "dashboard": "Dashboard", "orders": "OrderConnection"},
    "Viewer": {"tier": "", "id": "", "degraded": "Degraded"},
    "Dashboard": {"tier": "", "recentOrders": "Order", "degraded": "Degraded"},
    "OrderConnection": {"nodes": "Order", "edges": "OrderEdge"},
    "OrderEdge": {"node": "Order", "cursor": ""},
    "Order": {"id": "", "lines": "OrderLine", "status": ""},
    "OrderLine": {"name": "", "product": "Product"},
    "Product": {"id": "", "name": ""},
    "Degraded": {"section": "", "reason": ""},
}


class Hostile:
    """Writes documents that keep a comparison of fields busy: few names, many fields, fragments in fragments."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.names = [
            (f"F{n}", self.random.choice(list(FIELDS))) for n in range(self.random.choice([0, 5, 20, 40, 60]))
        ]
        self.left = MAX_TOKENS - 20 - 6 * len(self.names)
        self.width = self.random.choice([2, 4, 8, 20, 45])
        self.alike = self.random.random()

    def document(self) -> str:
        text = "{" + self.selection("Query", 0, 0) + "}"
        for at, (name, kind) in enumerate(self.names):
            text += f" fragment {name} on {kind} {{{self.selection(kind, 1, at + 1)}}}"
        return text

    def selection(self, kind: str, depth: int, later: int) -> str:
        out = []
        while self.left > 10 and len(out) < self.width:
            self.left -= 3
            fitting = [name for name, on in self.names[later:] if on == kind]
            draw = self.random.random()
            if fitting and draw < 0.4:
                out.append(f"...{self.random.choice(fitting)}")
            elif draw < 0.5 and depth < 12:
                out.append("... {" + self.selection(kind, depth + 1, later) + "}")
            else:
                out.append(self.field(kind, depth, later))
        return " ".join(out) or "__typename"

    def field(self, kind: str, depth: int, later: int) -> str:
        choice = list(FIELDS[kind])
        name = choice[0] if self.random.random() < self.alike else self.random.choice(choice)
        inner = FIELDS[kind][name]
        if not inner:
            return name
        return f"{name} {{{self.selection(inner, depth + 1, later) if depth < 10 else '__typename'}}}"


def best_of_three(work: Callable[[], object]) -> float:
    took = []
    for _ in range(3):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took)


def test_what_is_within_the_limits_is_validated_soon() -> None:
    """Two hundred documents made to hurt: measured at once, and those that pass do not hold up everybody else."""
    passed = 0
    for seed in range(200):
        document = parse(Hostile(seed).document())  # some are a little longer than they could be

        def fits(document=document) -> bool:
            try:
                refuse_too_large(document)
            except TooLargeError:
                return False
            return True

        assert best_of_three(fits) < MAX_MEASURE_S, seed
        if fits():
            passed += 1
            assert best_of_three(lambda document=document: validate(schema._schema, document, RULES)) < MAX_VALIDATION_S
    assert 40 < passed < 160, "both kinds are among them"
