"""Both surfaces, through the edge, asked by a machine that reads their contracts: it finds nothing.

schemathesis makes requests that fit and requests that almost do; its checks hold every answer against the contract.
"""

from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck
from requests.adapters import HTTPAdapter
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance

from shared.errors import PROBLEM_KINDS, ProblemCode
from tests.offsets import ROOT
from tests.system.running import Running

pytestmark = pytest.mark.system

# An address and a user of its own: what a machine asks in seconds must not use up the limits of the other tests.
ADDRESS = "127.0.0.9"
USER = "u-9"
FEW, MANY = 5, 200

# HTTP's own methods (RFC 9110, 5789). One that Envoy's parser does not know is no HTTP to it: 400 before any route.
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
CONFIG = SchemathesisConfig.from_dict({"phases": {"coverage": {"unexpected-methods": METHODS}}})
mobile = schemathesis.openapi.from_path(ROOT / "bffs/mobile/openapi.json", config=CONFIG)
web = schemathesis.graphql.from_path(ROOT / "bffs/web/schema.graphql", config=CONFIG)


def bounded(examples: int) -> Any:
    """The same requests at each run, as many as this for an operation."""
    return hypothesis.settings(
        max_examples=examples, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )


class FromOwnAddress(HTTPAdapter):
    """Connects from ``ADDRESS``."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, source_address=(ADDRESS, 0))


@pytest.fixture(scope="module")
def session(running: Running) -> Any:
    with requests.Session() as one:
        one.mount("https://", FromOwnAddress())
        one.verify = str(running.ca)
        one.trust_env = False
        SignedIn.token = running.token(USER)
        yield one


@mobile.auth()
@web.auth()
class SignedIn:
    """Signs each case in, but those in which schemathesis leaves the credential out or sends a wrong one."""

    token = ""

    def get(self, case: schemathesis.Case, context: Any) -> str:
        return self.token

    def set(self, case: schemathesis.Case, data: str, context: Any) -> None:
        case.headers["authorization"] = f"Bearer {data}"


def ask(case: schemathesis.Case, url: str, session: Any, **checks: Any) -> None:
    case.call_and_validate(base_url=url, session=session, verify=session.verify, **checks)


# Not every text is a cursor that we sealed, a field of this answer, or the ETag of what is changed: what fits the
# schema may be refused all the same, with a 4xx that the contract declares (which another check holds).
BEYOND_SCHEMA = [positive_data_acceptance]


@mobile.parametrize()
@bounded(FEW)
def test_the_mobile_contract_holds(case: schemathesis.Case, running: Running, session: Any) -> None:
    """Status, media type, headers and body of every answer are declared; what does not fit is refused."""
    ask(case, running.edge, session, excluded_checks=BEYOND_SCHEMA)


def documented_errors_alone(ctx: Any, response: Any, case: schemathesis.Case) -> None:
    """No 5xx; and an error in GraphQL's answer is the caller's own: it has a code of ours, and says 4xx in REST.

    Instead of schemathesis' own check, which calls every entry of ``errors`` a fault of the server.
    """
    assert response.status_code < 500, response.text
    for error in response.json().get("errors", ()):
        assert PROBLEM_KINDS[ProblemCode(error["extensions"]["code"])].status < 500, response.text


@web.parametrize()
@bounded(FEW)
def test_the_web_schema_holds(case: schemathesis.Case, running: Running, session: Any) -> None:
    """Whatever the schema allows is answered, or refused with a code."""
    ask(case, f"{running.edge}/web/graphql", session, checks=[documented_errors_alone])


@pytest.mark.long
@mobile.parametrize()
@bounded(MANY)
def test_the_mobile_contract_holds_longer(case: schemathesis.Case, running: Running, session: Any) -> None:
    """Many more of them."""
    ask(case, running.edge, session, excluded_checks=BEYOND_SCHEMA)


@pytest.mark.long
@web.parametrize()
@bounded(MANY)
def test_the_web_schema_holds_longer(case: schemathesis.Case, running: Running, session: Any) -> None:
    """Many more of them."""
    ask(case, f"{running.edge}/web/graphql", session, checks=[documented_errors_alone])
