"""One small server that plays everything around the edge: upstream, issuer, trace collector."""

import asyncio
import base64
import json
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Self
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Issuer:
    """Keys and tokens; every claim and header can be made wrong."""

    def __init__(self) -> None:
        self.keys = {kid: ECKey.generate_key("P-256", {"kid": kid, "use": "sig"}) for kid in ("k1", "k2")}
        # An RSA key in the same set: only the pinned algorithm keeps it from counting.
        self.rsa = RSAKey.generate_key(2048, {"kid": "r1", "use": "sig"})
        self.published = ["k1"]
        self.up = True
        self.fetches = 0

    def jwks(self) -> bytes:
        self.fetches += 1
        keys = [*(self.keys[kid] for kid in self.published), self.rsa]
        return json.dumps(KeySet(keys).as_dict(private=False)).encode()

    def token(self, now: float, *, kid: str = "k1", algorithm: str = "ES256", key=None, header=None, **claims) -> str:
        body = {
            "iss": "https://issuer.test", "aud": "frontage", "sub": "u-1", "client_id": "app", "scope": "dashboard",
            "iat": int(now), "exp": int(now) + 600, "jti": "j", **claims,
        }  # fmt: skip
        body = {name: value for name, value in body.items() if value is not None}
        head = {"alg": algorithm, "kid": kid, "typ": "at+jwt", **(header or {})}
        return jwt.encode(head, body, key or self.keys[kid], algorithms=[algorithm])


class Introspection:
    """RFC 7662, as some issuers speak it and as some should not: an answer per token, and a count of questions."""

    def __init__(self) -> None:
        self.answers: dict[str, dict | bytes | int] = {}
        self.asked: list[str] = []
        self.up = True

    def knows(self, token: str, **changes: object) -> str:
        """Make a token active; a member given as None is left out."""
        good = {
            "active": True, "iss": "https://issuer.test", "aud": "frontage", "sub": "u-1", "client_id": "app",
            "scope": "dashboard", "exp": int(time.time()) + 600, "token_type": "Bearer",
        }  # fmt: skip
        self.answers[token] = {name: value for name, value in {**good, **changes}.items() if value is not None}
        return token

    def answer(self, headers: list[tuple[str, str]], body: bytes) -> bytes:
        form = parse_qs(body.decode())
        self.asked.append(form["token"][0])
        named = {name.lower(): value for name, value in headers}
        if named.get("authorization") != "Basic " + base64.b64encode(b"edge:s%3Acret%25").decode():
            return Echo.reply(401, b"{}")
        if not self.up:
            return Echo.reply(500, b"{}")
        said = self.answers.get(form["token"][0], {"active": False})
        if isinstance(said, int):
            return Echo.reply(said, b"{}")
        return Echo.reply(200, said if isinstance(said, bytes) else json.dumps(said).encode())


class Echo:
    """Answers with what it saw. Runs its loop in a thread, so that tests stay plain functions."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._context = context
        self.issuer = Issuer()
        self.introspection = Introspection()
        # Key sets of other issuers, None for one that is away: fetched by the clock, no request of a test's.
        self.published: dict[str, bytes | None] = {}
        self.fetches: Counter[str] = Counter()
        self.seen: list[dict] = []
        self.spans: list = []
        self.answers: dict[str, Callable[[], bytes] | bytes] = {}
        self.healthy = True
        self.connections = 0
        self.closed_early = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    def hold(self) -> None:
        """Let requests to ``…/hold`` wait."""
        self._loop.call_soon_threadsafe(self._released.clear)

    def release(self) -> None:
        """Let them go on."""
        self._loop.call_soon_threadsafe(self._released.set)

    async def _serve(self) -> None:
        self._loop, self._stop, self._released = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
        self._tasks: set[asyncio.Task] = set()
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, ssl=self._context)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        self.connections += 1
        try:
            while await self._request(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in head[1:] if line]
        named = {name.lower(): value for name, value in headers}
        body = await self._body(reader, named)
        writer.write(await self._answer(method, target, headers, body, reader))
        await writer.drain()
        return True

    async def _body(self, reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(await reader.readline(), 16):
                body += await reader.readexactly(size)
                await reader.readline()
            await reader.readline()
            return body
        return await reader.readexactly(int(headers.get("content-length", 0)))

    async def _answer(self, method, target, headers, body, reader) -> bytes:
        path = target.split("?")[0]
        if path == "/jwks" or path in self.published:
            return self._keys(path)
        if path.startswith("/health/"):
            return self.reply(200 if self.healthy and path == "/health/ready" else 503, b"{}")
        if path == "/introspect":
            return self.introspection.answer(headers, body)
        if path == "/v1/traces":
            self._collect(body)
            return self.reply(200, b"")
        self.seen.append({"method": method, "target": target, "headers": headers, "length": len(body)})
        if path.endswith("/hang"):
            await reader.read()  # until the edge gives up
            self.closed_early += 1
            raise ConnectionError
        if path.endswith("/hold"):
            await self._released.wait()
        answer = self.answers.get(path)
        if answer is not None:
            return answer() if callable(answer) else answer
        return self.reply(200, json.dumps(self.seen[-1]).encode())

    def _keys(self, path: str) -> bytes:
        self.fetches[path] += 1
        if path in self.published:
            document = self.published[path]
            return self.reply(500, b"{}") if document is None else self.reply(200, document)
        return self.reply(200, self.issuer.jwks()) if self.issuer.up else self.reply(500, b"{}")

    def _collect(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = {one.key: one.value.string_value for one in resource.resource.attributes}["service.name"]
            self.spans += [(service, span) for scope in resource.scope_spans for span in scope.spans]

    @staticmethod
    def reply(status: int, body: bytes, *headers: str, media: str = "application/json") -> bytes:
        lines = [f"HTTP/1.1 {status} Said", f"content-type: {media}", f"content-length: {len(body)}", *headers]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
