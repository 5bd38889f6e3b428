"""The limiter as one would write it: grpc.aio, protobuf's own classes, redis-py on hiredis, uvloop, one script.

It judges by the same script and gives the same answer; it has no metrics, no batch, no time limit for its store, and no
choice for when the store is away.
"""

import functools
import os
from hashlib import blake2b
from pathlib import Path

import grpc
import uvloop
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from redis.asyncio import Redis

from shared.limits.policy import LimitPolicy, parse_policy

SCRIPT = (Path(__file__).parents[4] / "edge/limits/judge.lua").read_text(encoding="utf-8")
METHOD, SERVICE = "ShouldRateLimit", "envoy.service.ratelimit.v3.RateLimitService"
OK, OVER_LIMIT = 1, 2
STRING, UINT32, ENUM_AS_INT, MESSAGE = 9, 13, 5, 11
# What protoc would make of Envoy's rls.proto, in the fields that are used.
MESSAGES = {
    "Entry": [("key", 1, STRING, ""), ("value", 2, STRING, "")],
    "Descriptor": [("entries", 1, MESSAGE, "*Entry")],
    "Request": [("domain", 1, STRING, ""), ("descriptors", 2, MESSAGE, "*Descriptor"), ("hits_addend", 3, UINT32, "")],
    "Duration": [("seconds", 1, UINT32, "")],
    "Status": [
        ("code", 1, ENUM_AS_INT, ""), ("limit_remaining", 3, UINT32, ""),
        ("duration_until_reset", 4, MESSAGE, "Duration"),
    ],
    "Header": [("key", 1, STRING, ""), ("value", 2, STRING, "")],
    "Response": [
        ("overall_code", 1, ENUM_AS_INT, ""), ("statuses", 2, MESSAGE, "*Status"),
        ("response_headers_to_add", 3, MESSAGE, "*Header"),
    ],
}  # fmt: skip


def classes() -> dict[str, type]:
    """Return the messages' classes."""
    file = descriptor_pb2.FileDescriptorProto(name="rls.proto", package="rls", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind, of in fields:
            added = message.field.add(name=field, number=number, type=kind, label=3 if of.startswith("*") else 1)
            if of:
                added.type_name = f".rls.{of.strip('*')}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"rls.{name}")) for name in MESSAGES}


Request, Response = (classes()[name] for name in ("Request", "Response"))
policy_of = functools.lru_cache(parse_policy)


class Limiter:
    """The service."""

    def __init__(self, store: Redis) -> None:
        self._judge = store.register_script(SCRIPT)

    async def should_rate_limit(self, request, context):
        """Ask the store once, for all descriptors of the request."""
        policies = [policy_of(one.entries[0].value) for one in request.descriptors]
        keys = [key_of(policy, one) for policy, one in zip(policies, request.descriptors, strict=True)]
        words = ["", len(policies)]
        for policy in policies:
            words += [str(policy.algorithm), policy.limit, policy.window_us, policy.segments, 1, int(policy.shadow)]
        said = await self._judge(keys=keys, args=words)
        return answer(policies, said)


def key_of(policy: LimitPolicy, descriptor) -> str:
    """Return the counter's name."""
    parts = "|".join(f"{entry.key}={entry.value}" for entry in descriptor.entries[1:])
    return "peer:" + blake2b(f"{policy.memory}|{parts}".encode(), digest_size=16).hexdigest()


def answer(policies: list[LimitPolicy], said: list[int]):
    """Return the response: a verdict for each limit, and the headers of the tightest."""
    response, tightest = Response(overall_code=OK), 0
    for at, policy in enumerate(policies):
        fits, left, wait_us = said[3 * at : 3 * at + 3]
        status = response.statuses.add(code=OK if fits or policy.shadow else OVER_LIMIT, limit_remaining=left)
        status.duration_until_reset.seconds = -(-wait_us // 1_000_000)
        if status.code == OVER_LIMIT:
            response.overall_code = OVER_LIMIT
        if left < said[3 * tightest + 1]:
            tightest = at
    told, status = policies[tightest], response.statuses[tightest]
    response.response_headers_to_add.add(
        key="ratelimit-policy", value=f'"{told.name}";q={told.limit};w={told.window_s}'
    )
    rest = f'"{told.name}";r={status.limit_remaining};t={status.duration_until_reset.seconds}'
    response.response_headers_to_add.add(key="ratelimit", value=rest)
    return response


async def main() -> None:
    """Serve until told to stop."""
    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(
        Limiter(Redis.from_url(os.environ["STORE_URL"])).should_rate_limit,
        request_deserializer=Request.FromString, response_serializer=Response.SerializeToString,
    )  # fmt: skip
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler}),))
    server.add_insecure_port(os.environ["LISTEN"])
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(main())
