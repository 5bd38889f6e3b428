"""The audits of GraphQL over HTTP by the ``graphql-http`` package, against the running BFF."""

import pytest

from shared.testing.issuer import Issuer
from tests.node.conftest import run_script
from tests.node.toolchain import Toolchain

pytestmark = pytest.mark.node

# How many graphql-http 1.23.1 has: a run that did less would have found less.
AUDITS = 61


@pytest.fixture
def mode() -> str:
    """Several audits ask ``__type``, and want data: in production the schema does not tell of itself."""
    return "local"


def table_of(rows: list[dict]) -> str:
    """Write results for a reader of a failed test."""
    return "\n".join(
        f"{row['status']:7} {row['id']} {row['answered'] or '':4} {row['name']}  {row['reason'] or ''}" for row in rows
    )


async def test_all_audits_of_graphql_over_http_pass(node: Toolchain, bff: str, issuer: Issuer) -> None:
    """No error (MUST), no warning (SHOULD), no notice (MAY)."""
    rows = await run_script(node, "audit.mjs", {"url": bff, "token": issuer.token(scope="graphql:explore")})

    assert len(rows) == AUDITS, table_of(rows)
    assert {row["status"] for row in rows} == {"ok"}, "\n" + table_of(rows)


async def test_the_audits_find_what_is_wrong(node: Toolchain, bff: str) -> None:
    """Without a token nothing is served, and what must be is an error: the verdict is of this server's answers."""
    rows = await run_script(node, "audit.mjs", {"url": bff, "token": "none"})

    verdicts = {row["id"]: row["status"] for row in rows}
    assert (verdicts["4655"], verdicts["22EB"]) == ("error", "warn"), "\n" + table_of(rows)
