"""The messages of ``envoy.service.ratelimit.v3``, held against the protobuf library's own reading and writing."""

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, struct_pb2
from hypothesis import given
from hypothesis import strategies as st

from edge.limits.reading import MAX_KNOWN_SIZE, CheckReader
from edge.limits.service import write_answer
from shared.limits import messages
from shared.limits.decide import Check, Verdict
from shared.limits.messages import Descriptor, read_descriptor, read_request, write_request
from shared.limits.policy import parse_policy
from shared.protobuf import MalformedMessage

STRING, UINT32, UINT64, ENUM, MESSAGE = 9, 13, 4, 14, 11
# As Envoy's .proto files have them; those fields that we neither read nor write are there to be skipped.
FIELDS = {
    "U64": [("value", 1, UINT64, "")],
    "Duration": [("seconds", 1, 3, ""), ("nanos", 2, 5, "")],
    "Entry": [("key", 1, STRING, ""), ("value", 2, STRING, "")],
    "Override": [("requests_per_unit", 1, UINT32, ""), ("unit", 2, UINT32, "")],
    "Descriptor": [
        ("entries", 1, MESSAGE, "*Entry"), ("limit", 2, MESSAGE, "Override"), ("hits_addend", 3, MESSAGE, "U64"),
    ],
    "Request": [("domain", 1, STRING, ""), ("descriptors", 2, MESSAGE, "*Descriptor"), ("hits_addend", 3, UINT32, "")],
    "Limit": [("requests_per_unit", 1, UINT32, ""), ("unit", 2, UINT32, ""), ("name", 3, STRING, "")],
    "Status": [
        ("code", 1, UINT32, ""), ("current_limit", 2, MESSAGE, "Limit"), ("limit_remaining", 3, UINT32, ""),
        ("duration_until_reset", 4, MESSAGE, "Duration"),
    ],
    "Header": [("key", 1, STRING, ""), ("value", 2, STRING, "")],
    "Response": [
        ("overall_code", 1, UINT32, ""), ("statuses", 2, MESSAGE, "*Status"),
        ("response_headers_to_add", 3, MESSAGE, "*Header"), ("dynamic_metadata", 6, MESSAGE, ".google.protobuf.Struct"),
    ],
}  # fmt: skip


def _classes() -> dict[str, type]:
    file = descriptor_pb2.FileDescriptorProto(
        name="rls.proto", package="t", syntax="proto3", dependency=["google/protobuf/struct.proto"]
    )
    for name, fields in FIELDS.items():
        message = file.message_type.add(name=name)
        for field, number, kind, of in fields:
            added = message.field.add(name=field, number=number, type=kind, label=3 if of.startswith("*") else 1)
            if of:
                added.type_name = of if of.startswith(".") else f".t.{of.strip('*')}"
    pool = descriptor_pool.DescriptorPool()
    structs = descriptor_pb2.FileDescriptorProto()
    struct_pb2.DESCRIPTOR.CopyToProto(structs)
    pool.Add(structs)
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"t.{name}")) for name in FIELDS}


THEIRS = _classes()
WORDS = st.text(max_size=300)
DESCRIPTORS = st.builds(
    Descriptor,
    st.lists(st.tuples(WORDS, WORDS), max_size=5).map(tuple),
    st.none() | st.integers(0, 2**63),
)


def theirs(domain: str, descriptors, cost: int):
    made = THEIRS["Request"](domain=domain, hits_addend=cost)
    for one in descriptors:
        added = made.descriptors.add()
        for key, value in one.entries:
            added.entries.add(key=key, value=value)
        if one.cost is not None:
            added.hits_addend.value = one.cost
            added.hits_addend.SetInParent()
    return made


@given(domain=WORDS, descriptors=st.lists(DESCRIPTORS, max_size=6), cost=st.integers(0, 2**32 - 1))
def test_a_request_reads_and_writes_as_protobuf_does(domain, descriptors, cost):
    """Both ways, field by field."""
    request = read_request(theirs(domain, descriptors, cost).SerializeToString())
    assert (request.domain, request.cost) == (domain, cost or 1)
    assert [read_descriptor(one) for one in request.descriptors] == descriptors
    assert THEIRS["Request"].FromString(write_request(domain, descriptors, cost)) == theirs(domain, descriptors, cost)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data):
    """Nothing but MalformedMessage, whatever comes."""
    for read in (read_request, read_descriptor, CheckReader().read):
        try:
            read(data)
        except MalformedMessage:
            continue


def test_fields_that_we_do_not_know_are_skipped():
    """A newer Envoy may send more."""
    more = THEIRS["Descriptor"](entries=[THEIRS["Entry"](key="a", value="b")])
    more.limit.requests_per_unit = 7
    assert read_descriptor(more.SerializeToString()).entries == (("a", "b"),)
    assert read_request(b"\x49" + b"8" * 8 + b"\x55" + b"4" * 4 + write_request("d", [])).domain == "d"


STRICT = parse_policy("strict sliding_window q=10 w=60 s=6")
DAY = parse_policy("day sliding_log q=100 w=86400")
SHADOW = parse_policy("new token_bucket q=5 w=60 shadow")


def answer(*pairs):
    said = write_answer(tuple(Check(policy, policy.name) for policy, _ in pairs), [verdict for _, verdict in pairs])
    read = THEIRS["Response"].FromString(said)
    headers = {one.key: one.value for one in read.response_headers_to_add}
    return read, headers


def test_an_answer_names_the_limit_that_blocks_longest():
    """Two block, one is a shadow: the day's is told, in whole seconds, rounded up."""
    read, headers = answer(
        (STRICT, Verdict(fits=False, left=0, wait_us=1)),
        (DAY, Verdict(fits=False, left=2, wait_us=3_600_000_001)),
        (SHADOW, Verdict(fits=False, left=0, wait_us=86_400_000_000)),
    )
    assert read.overall_code == messages.OVER_LIMIT
    assert [one.code for one in read.statuses] == [messages.OVER_LIMIT, messages.OVER_LIMIT, messages.OK]
    assert headers == {
        "ratelimit-policy": '"day";q=100;w=86400', "ratelimit": '"day";r=2;t=3601', "retry-after": "3601",
    }  # fmt: skip


def test_an_answer_names_the_tightest_when_all_fit():
    """No Retry-After then; the statuses have what each has left."""
    read, headers = answer(
        (DAY, Verdict(fits=True, left=8, wait_us=7_000_000)), (STRICT, Verdict(fits=True, left=7, wait_us=60_000_000))
    )
    assert read.overall_code == messages.OK
    assert [(one.limit_remaining, one.duration_until_reset.seconds) for one in read.statuses] == [(8, 7), (7, 60)]
    assert headers == {"ratelimit-policy": '"strict";q=10;w=60', "ratelimit": '"strict";r=7;t=60'}


def test_what_could_not_be_judged_is_named_and_never_told():
    """The edge decides about it; the client hears of the others."""
    read, headers = answer((STRICT, None), (DAY, Verdict(fits=True, left=8, wait_us=7_000_000)))
    assert read.overall_code == messages.OK
    assert list(read.dynamic_metadata["unjudged"]) == ["strict"]
    assert headers["ratelimit"] == '"day";r=8;t=7'
    read, headers = answer((STRICT, None))
    assert (read.overall_code, headers) == (messages.OK, {})


@pytest.mark.parametrize("policy", [STRICT, DAY, SHADOW], ids=lambda one: one.name)
def test_a_policy_s_text_is_read_back(policy):
    """What the compiler writes is what the limiter reads."""
    assert parse_policy(str(policy)) == policy


def message(*descriptors: Descriptor, domain: str = "frontage", cost: int = 0) -> bytes:
    return write_request(domain, descriptors, cost)


def limit(text: str, *parts: tuple[str, str], cost: int | None = None) -> Descriptor:
    return Descriptor((("limit", text), *parts), cost)


def test_counters_differ_by_every_part_and_only_by_what_counts():
    """No part can imitate another; a raised limit goes on counting where it was, another window does not."""
    reader = CheckReader()

    def counter(*descriptor) -> str:
        return reader.read(message(limit(*descriptor)))[0].key

    base = counter("a sliding_window q=5 w=60 s=6", ("x", "1"), ("y", "2"))
    assert base == counter("a sliding_window q=50 w=60 s=6", ("x", "1"), ("y", "2"))
    others = [
        counter("a sliding_window q=5 w=61 s=6", ("x", "1"), ("y", "2")),
        counter("a sliding_window q=5 w=60 s=6", ("x", "12"), ("y", "")),
        counter("a sliding_window q=5 w=60 s=6", ("x", "1y"), ("", "2")),
        counter("a sliding_window q=5 w=60 s=6", ("y", "2"), ("x", "1")),
        counter("a sliding_log q=5 w=60", ("x", "1"), ("y", "2")),
        counter("b sliding_window q=5 w=60 s=6", ("x", "1"), ("y", "2")),
    ]
    assert len({base, *others}) == 1 + len(others)
    assert not [one for one in (base, *others) if one == "1" or len(one) > 64]


def test_a_header_s_bytes_are_a_key_part_whatever_they_are():
    """Refused, they would go uncounted."""
    made = message(limit("a sliding_log q=5 w=60", ("x", "A"))).replace(b"\x12\x01A", b"\x12\x01\xff")
    assert CheckReader().read(made)[0].policy.name == "a"


@pytest.mark.parametrize(
    "wrong",
    [
        message(limit("a sliding_log q=5 w=60"), domain="another"),
        message(Descriptor((("x", "1"),), None)),
        message(Descriptor((), None)),
        message(limit("a nonsense q=5 w=60")),
        message(limit("a sliding_log q=0 w=60")),
        message(limit("a sliding_log q=5 w=0")),
        message(limit("a sliding_log q=5 w=60", cost=2**40)),
        message(limit("a sliding_log q=5 w=60"), limit("a sliding_log q=6 w=60")),
        message(*(limit(f"a{n} sliding_log q=5 w=60") for n in range(messages.MAX_DESCRIPTORS + 1))),
    ],
)
def test_what_no_edge_of_ours_sends_is_refused(wrong):
    """And never half understood."""
    with pytest.raises(MalformedMessage):
        CheckReader().read(wrong)


def test_the_cost_is_the_descriptor_s_own_or_the_request_s():
    """Zero in a descriptor only looks; zero in the request is protobuf's way to say nothing."""
    checks = CheckReader().read(
        message(*(limit(f"a{n} sliding_log q=5 w=60", cost=cost) for n, cost in enumerate((None, 0, 4))), cost=3)
    )
    assert [check.cost for check in checks] == [3, 0, 4]
    assert CheckReader().read(message(limit("a sliding_log q=5 w=60")))[0].cost == 1


def test_what_was_read_is_kept_within_a_bound():
    """A client's next request costs one look-up; long ones are not kept."""
    reader = CheckReader()
    short, long = (message(limit("a sliding_log q=5 w=60", ("x", "y" * size))) for size in (5, MAX_KNOWN_SIZE))
    assert reader.read(short) is reader.read(short)
    assert reader.read(long) is not reader.read(long)
