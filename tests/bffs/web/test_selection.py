"""Only the sections behind selected fields are fetched, whichever way a document selects them."""

import time
from typing import Any

import pytest

from bffs.web.graph.dashboard import NEEDS, DashboardSections
from bffs.web.schema import schema
from shared.testing.faults import status
from shared.testing.sockets import SocketBackends
from tests.bffs.web.web import Web

FRAGMENT = "fragment Some on Dashboard { alerts { id } ...More } fragment More on Dashboard { tier }"

CASES: dict[str, tuple[str, dict[str, Any], set[str]]] = {
    "fields": ("{ dashboard { tier alerts { id } } }", {}, {"users", "alerts"}),
    "alias": ("{ dashboard { mine: recentOrders { id } } }", {}, {"orders"}),
    "aliased_like_another": ("{ dashboard { alerts: recentOrders { id } } }", {}, {"orders"}),
    "root_alias": ("{ page: dashboard { alerts { id } } }", {}, {"alerts"}),
    "fragment": ("{ dashboard { ...Some } } " + FRAGMENT, {}, {"users", "alerts"}),
    "inline_fragment": ("{ dashboard { ... on Dashboard { tier } } }", {}, {"users"}),
    "inline_fragment_without_type": ("{ dashboard { ... { ... { recentOrders { id } } } } }", {}, {"orders"}),
    "root_fragment": ("{ ...R } fragment R on Query { dashboard { tier } }", {}, {"users"}),
    "the_same_field_twice": ("{ dashboard { tier } dashboard { alerts { id } } }", {}, {"users", "alerts"}),
    "no_section": ("{ dashboard { userId aggregatedAt degraded { section } __typename } }", {}, set()),
    "skip": ("{ dashboard { tier alerts @skip(if: true) { id } } }", {}, {"users"}),
    "skip_not": ("{ dashboard { tier alerts @skip(if: false) { id } } }", {}, {"users", "alerts"}),
    "include": ("{ dashboard { tier alerts @include(if: true) { id } } }", {}, {"users", "alerts"}),
    "include_not": ("{ dashboard { tier alerts @include(if: false) { id } } }", {}, {"users"}),
    "both_say_yes": ("{ dashboard { tier @skip(if: false) @include(if: true) } }", {}, {"users"}),
    "one_says_no": ("{ dashboard { userId tier @skip(if: true) @include(if: true) } }", {}, set()),
    "variable_says_no": (
        "query ($with: Boolean!) { dashboard { tier alerts @include(if: $with) { id } } }",
        {"with": False},
        {"users"},
    ),
    "variable_says_yes": (
        "query ($with: Boolean!) { dashboard { tier alerts @include(if: $with) { id } } }",
        {"with": True},
        {"users", "alerts"},
    ),
    "variable_by_default": (
        "query ($with: Boolean! = false) { dashboard { tier alerts @include(if: $with) { id } } }",
        {},
        {"users"},
    ),
    "a_spread_left_out": ("{ dashboard { userId ...Some @skip(if: true) } } " + FRAGMENT, {}, set()),
    "a_spread_left_out_once": (
        "{ dashboard { ...Some @skip(if: true) ...Some } } " + FRAGMENT,
        {},
        {"users", "alerts"},
    ),
    "an_inline_fragment_left_out": ("{ dashboard { userId ... @include(if: false) { tier } } }", {}, set()),
    "left_out_here_asked_there": ("{ dashboard { tier @skip(if: true) tier } }", {}, {"users"}),
    "the_root_left_out": ("{ dashboard @skip(if: true) { tier } viewer { tier } }", {}, {"users"}),
}  # fmt: skip


@pytest.mark.parametrize(("text", "variables", "asked"), CASES.values(), ids=CASES)
async def test_only_what_is_asked_for_is_fetched(web: Web, backends: SocketBackends, text, variables, asked) -> None:
    """The backends that are called are those of the selected fields, once each."""
    await web.data(text, variables)

    assert backends.counts() == dict.fromkeys(asked, 1)


async def test_a_section_that_is_not_asked_for_cannot_degrade(web: Web, backends: SocketBackends) -> None:
    """``degraded`` speaks of this operation's sections, not of backends it did not need."""
    backends["alerts"].fault(status(500))

    data = await web.data("{ dashboard { tier degraded { section } } }")

    assert data["dashboard"] == {"tier": "Gold", "degraded": []}


async def test_fragments_that_double_cost_nothing(web: Web, backends: SocketBackends) -> None:
    """Fifty fragments that each spread the next one twice would be 2^50 fields for whoever expands them."""
    chain = "".join(f"fragment F{n} on Dashboard {{ ...F{n + 1} ...F{n + 1} }} " for n in range(50))
    text = f"{{ dashboard {{ ...F0 }} }} {chain} fragment F50 on Dashboard {{ tier }}"

    began = time.monotonic()
    data = await web.data(text)

    assert data == {"dashboard": {"tier": "Gold"}}
    assert time.monotonic() - began < 2
    assert backends.counts() == {"users": 1}


def test_every_field_knows_its_section() -> None:
    """A field added to the type without a line in NEEDS would stay at its default for ever."""
    fields = set(schema._schema.type_map["Dashboard"].fields)

    assert fields - NEEDS.keys() == {"userId", "aggregatedAt", "degraded"}
    assert set(NEEDS.values()) == {section.attribute for section in DashboardSections.declared}
