"""What clients learn from a failure that nobody declared: that there was one, where, and its trace (field case W2)."""

import json

import pytest
import strawberry
from graphql import GraphQLError
from starlette.responses import Response

from bffs.web.operation import answer, refused
from bffs.web.prepare import Preparer, Refused
from bffs.web.schema import WebSchema, execute, schema
from shared.asgi.context import KEY, RequestContext
from shared.errors import BackendFaulted, ProblemCode, ProblemError
from shared.resilience.deadline import Deadline
from shared.telemetry.ledger import Ledger, read_origin
from tests.bffs.web.web import DASHBOARD, Web

SECRET = "could not connect to postgres://app:hunter2@db.internal:5432/orders: SELECT * FROM users"


class LeakError(Exception):
    """What a library raises."""


@strawberry.type
class Item:
    number: int

    @strawberry.field
    async def slow(self) -> str | None:
        if self.number == 1:
            raise LeakError(SECRET)
        return "fine"


@strawberry.type
class Query:
    @strawberry.field
    def fine(self) -> str:
        return "fine"

    @strawberry.field
    def sync(self) -> str | None:
        raise LeakError(SECRET)

    @strawberry.field
    async def asynchronous(self) -> str | None:
        raise LeakError(SECRET)

    @strawberry.field
    def items(self) -> list[Item]:
        return [Item(number=number) for number in range(3)]

    @strawberry.field
    def library(self) -> str | None:
        raise GraphQLError(SECRET)

    @strawberry.field
    def misfit(self) -> int | None:
        return SECRET  # type: ignore[return-value]

    @strawberry.field
    def nothing(self) -> str | None:
        return Never()  # type: ignore[return-value]

    @strawberry.field
    def declared(self) -> str | None:
        raise ProblemError(ProblemCode.FORBIDDEN, "This needs the scope `orders`.")

    @strawberry.field
    def backend(self) -> str | None:
        raise BackendFaulted("orders", 500)


class Never:
    """Fails while it is written."""

    def __str__(self) -> str:
        raise LeakError(SECRET)


@strawberry.type
class Root(Query):
    @strawberry.field
    def required(self) -> str:
        raise LeakError(SECRET)


FAULTY = WebSchema(query=Query)


async def asked(text: str, scope: dict, on: WebSchema = FAULTY) -> Response:
    """Answer a document as the route does."""
    try:
        prepared = Preparer(on, open_schema=False).prepare(text)
    except Refused as fault:
        return refused(fault.errors, scope[KEY])
    return answer(await execute(prepared, {}, None), scope[KEY])


@pytest.fixture
def scope() -> dict:
    """A request's scope, as the middleware leaves it."""
    ledger = Ledger(read_origin(None, "", 1.0), "POST", 0.0)
    return {"path": "/web/graphql", KEY: RequestContext(ledger, Deadline(1.0))}


FAILING = {
    "sync": ("{ sync }", ["sync"]),
    "async": ("{ asynchronous }", ["asynchronous"]),
    "list_item": ("{ items { slow } }", ["items", 1, "slow"]),
    "alias": ("{ mine: sync }", ["mine"]),
    "a_librarys_graphql_error": ("{ library }", ["library"]),
    "a_value_that_does_not_fit": ("{ misfit }", ["misfit"]),
    "a_value_that_cannot_be_written": ("{ nothing }", ["nothing"]),
}


@pytest.mark.parametrize(("text", "path"), FAILING.values(), ids=FAILING)
async def test_case_w2_internals_never_reach_a_client(scope: dict, logged: list, text: str, path: list) -> None:
    """A fixed text, the path, `internal` and the trace; the log has the cause, once."""
    response = await asked(text, scope)

    assert response.status_code == 200
    for word in ("postgres", "hunter2", "db.internal", "SELECT", "LeakError", "Traceback", ".py"):
        assert word.encode() not in response.body
    (error,) = json.loads(response.body)["errors"]
    assert (error["message"], error["path"]) == ("Internal error", path)
    assert error["extensions"] == {
        "code": "internal",
        "retryable": False,
        "traceId": scope[KEY].ledger.origin.trace_id,
    }
    (line,) = logged
    assert (line["event"], line["log_level"], line["path"]) == ("resolver_failed", "error", path)
    assert SECRET in str(line["exc_info"])


async def test_case_w2_the_siblings_of_a_failed_item_are_served(scope: dict, logged: list) -> None:
    """Only the item's own field is null."""
    response = await asked("{ fine items { number slow } }", scope)

    assert json.loads(response.body)["data"] == {
        "fine": "fine",
        "items": [{"number": 0, "slow": "fine"}, {"number": 1, "slow": None}, {"number": 2, "slow": "fine"}],
    }


async def test_case_w2_a_root_field_that_cannot_be_null_takes_the_data_and_says_why(scope: dict, logged: list) -> None:
    """``data: null`` is an answer of execution: 200, one masked error with its path."""
    response = await asked("{ fine required }", scope, WebSchema(query=Root))

    body = json.loads(response.body)
    assert (response.status_code, body["data"]) == (200, None)
    assert [(error["message"], error["path"]) for error in body["errors"]] == [("Internal error", ["required"])]


async def test_case_w2_what_was_declared_stays_readable(scope: dict, logged: list) -> None:
    """A problem keeps its words, a backend's failure says which kind it was; neither is a bug for the log."""
    response = await asked("{ declared backend }", scope)

    said = {error["path"][0]: error for error in json.loads(response.body)["errors"]}
    assert said["declared"]["message"] == "This needs the scope `orders`."
    assert said["declared"]["extensions"]["code"] == "forbidden"
    assert said["backend"]["extensions"]["code"] == "backend_faulted"
    assert "500" not in said["backend"]["message"]
    assert logged == []


@pytest.mark.parametrize("text", ["{ fin }", "{ fine ", "{ fine { x } }", "query ($x: Int!) { fine }"])
async def test_case_w2_the_documents_own_faults_stay_readable(scope: dict, logged: list, text: str) -> None:
    """Syntax and validation errors are for whoever wrote the document, and not for our log."""
    response = await asked(text, scope)

    body = json.loads(response.body)
    assert response.status_code == 400
    assert "data" not in body
    for error in body["errors"]:
        assert error["extensions"]["code"] == "invalid_request"
        assert error["message"] not in {"", "Invalid request"}
    assert logged == []


async def test_case_w2_a_failure_below_the_resolvers_is_masked_too(web: Web, logged: list) -> None:
    """The whole way: a transport that raises what no failure table knows."""

    class Leaking:
        def send(self, request, receiver):
            raise LeakError(SECRET)

        async def aclose(self) -> None: ...

    state = web.app.state.backends.states["users"]
    pool, state.channel = state.channel, Leaking()
    response = await web.query(DASHBOARD)
    state.channel = pool

    assert response.status_code == 200
    (error,) = response.json()["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["dashboard"], "internal")
    assert "hunter2" not in response.text
    assert [line for line in logged if line["event"] == "resolver_failed" and SECRET in str(line["exc_info"])]


def test_the_real_schema_logs_like_this_one() -> None:
    """The tests above speak of the class that serves."""
    assert type(schema) is WebSchema
