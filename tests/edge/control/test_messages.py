"""The messages of ``envoy.service.auth.v3``, held against the protobuf library's own reading and writing."""

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, struct_pb2
from hypothesis import given
from hypothesis import strategies as st

from edge.control import messages
from edge.control.policy import IssuerPolicy, RoutePolicy, parse_policy
from shared.identity.credential import CredentialKind
from shared.protobuf import MalformedMessage

STRING, INT64, ENUM, MESSAGE = 9, 3, 14, 11
# As Envoy's .proto files have them; those fields that we do not read are there to be passed over.
FIELDS = {
    "Pair": [("key", 1, STRING, ""), ("value", 2, STRING, "")],
    "Http": [
        ("id", 1, STRING, ""), ("method", 2, STRING, ""), ("headers", 3, MESSAGE, "*Pair"), ("path", 4, STRING, ""),
        ("size", 9, INT64, ""), ("body", 11, STRING, ""),
    ],
    "Time": [("seconds", 1, INT64, ""), ("nanos", 2, INT64, "")],
    "Request": [("time", 1, MESSAGE, "Time"), ("http", 2, MESSAGE, "Http")],
    "Attributes": [("request", 4, MESSAGE, "Request"), ("context_extensions", 10, MESSAGE, "*Pair")],
    "Check": [("attributes", 1, MESSAGE, "Attributes")],
    "Option": [("header", 1, MESSAGE, "Pair"), ("append_action", 3, ENUM, "")],
    "Status": [("code", 1, INT64, "")],
    "HttpStatus": [("code", 1, INT64, "")],
    "Denied": [("status", 1, MESSAGE, "HttpStatus"), ("headers", 2, MESSAGE, "*Option"), ("body", 3, STRING, "")],
    "Ok": [("headers", 2, MESSAGE, "*Option"), ("headers_to_remove", 5, STRING, "*"),
           ("response_headers_to_add", 6, MESSAGE, "*Option")],
    "Answer": [("status", 1, MESSAGE, "Status"), ("denied_response", 2, MESSAGE, "Denied"),
               ("ok_response", 3, MESSAGE, "Ok")],
}  # fmt: skip


def message_types() -> dict[str, type]:
    file = descriptor_pb2.FileDescriptorProto(name="auth.proto", package="auth", syntax="proto3")
    for name, members in FIELDS.items():
        made = file.message_type.add(name=name)
        for member, number, kind, of in members:
            made.field.add(
                name=member, number=number, type=INT64 if kind == ENUM else kind, label=3 if of.startswith("*") else 1,
                type_name=f".auth.{of.lstrip('*')}" if kind == MESSAGE else None,
            )  # fmt: skip
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"auth.{name}")) for name in FIELDS}


TYPES = message_types()
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(headers=st.dictionaries(WORDS, WORDS, max_size=5), context=st.dictionaries(WORDS, WORDS, max_size=3))
def test_a_question_is_read_as_protobuf_reads_it(headers, context):
    """With all that Envoy says beside what we ask for; and ours is read back by both."""
    check = TYPES["Check"]()
    request = check.attributes.request
    request.time.seconds, request.http.id, request.http.method, request.http.size = 1_800_000_000, "7", "GET", -1
    for name, value in headers.items():
        request.http.headers.add(key=name, value=value)
    for name, value in context.items():
        check.attributes.context_extensions.add(key=name, value=value)
    assert messages.read_question(check.SerializeToString()) == (headers, context)
    assert messages.read_question(messages.write_question(headers, context)) == (headers, context)
    again = TYPES["Check"].FromString(messages.write_question(headers, context))
    assert {one.key: one.value for one in again.attributes.request.http.headers} == headers


@given(st.binary(max_size=200))
def test_any_bytes_are_a_question_or_malformed(data):
    """Never another error."""
    try:
        messages.read_question(data)
    except MalformedMessage:
        return


def test_a_pass_says_what_changes():
    """Headers in place of others, headers taken away, headers of the answer, and what later filters may know."""
    written = messages.write_pass(
        {"subject": "a"}, upstream=[("x-internal-token", "t")], removed=["cookie"], downstream=[("x-told", "d")]
    )
    read = TYPES["Answer"].FromString(written)
    assert (read.status.code, read.HasField("denied_response")) == (0, False)
    (option,) = read.ok_response.headers
    assert (option.header.key, option.header.value, option.append_action) == ("x-internal-token", "t", 2)
    assert list(read.ok_response.headers_to_remove) == ["cookie"]
    assert [one.header.value for one in read.ok_response.response_headers_to_add] == ["d"]
    struct = dict(messages.fields(written))[4]
    assert dict(struct_pb2.Struct.FromString(struct)) == {"subject": "a"}


def test_a_refusal_says_status_words_and_challenge():
    """And is no OK by any reading."""
    read = TYPES["Answer"].FromString(messages.write_refusal(401, "No.", [("www-authenticate", "Bearer")]))
    assert read.status.code == 16
    assert not read.HasField("ok_response")
    assert (read.denied_response.status.code, read.denied_response.body) == (401, "No.")
    assert [one.header.key for one in read.denied_response.headers] == ["www-authenticate"]


ISSUER = IssuerPolicy(
    issuer="https://i.test", audience="a", jwks="https://i.test/k", algorithms=("ES256",), token_type="at+jwt",
    clock_skew_s=30.0,
)  # fmt: skip


def test_a_route_s_policy_comes_back_as_it_was_written():
    """Equal policies, equal text: it is remembered by it."""
    policy = RoutePolicy(
        route="r", audience="a", mode="internal", accept=frozenset(CredentialKind), scopes=frozenset({"b", "a"}),
        claims=(("role", ("x", "y")),), issuers=(ISSUER,),
    )  # fmt: skip
    assert parse_policy(str(policy)) == policy
    assert str(policy) == str(parse_policy(str(policy)))


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"accept": 1}', str(ISSUER)])
def test_what_is_no_policy_is_none(text):
    """Never one that asks for nothing."""
    with pytest.raises(ValueError):  # noqa: PT011 - of any kind
        parse_policy(text)
