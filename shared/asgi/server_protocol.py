"""uvicorn's HTTP protocol with a short way out: a whole answer in one write.

Owns nothing of HTTP but the serialisation of a whole answer whose headers are ours: uvicorn checks each header with two
regular expressions and writes head and body apart. Whatever is odd (a client that reads slowly, pipelining, HTTP/1.0,
``connection: close``) goes uvicorn's own way.
"""

from typing import Any, Final

from starlette.types import Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

KEY: Final = "frontage.cycle"
Headers = list[tuple[bytes, bytes]]


class ServerProtocol(HttpToolsProtocol):
    """Tells the app which cycle its answer belongs to."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        cycle.scope[KEY] = cycle  # type: ignore[typeddict-unknown-key]
        super()._start_asgi_task(cycle, app)


async def answer_whole(scope: Scope, send: Send, status: int, headers: Headers, body: bytes) -> None:
    """Send a whole answer; its headers hold a content-length and nothing that came from a client."""
    cycle: RequestResponseCycle | None = scope.get(KEY)
    if cycle is None or not _is_plain(cycle):
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return
    lines = [b"%b: %b\r\n" % field for field in (*cycle.default_headers, *headers)]
    cycle.response_started = cycle.response_complete = True
    cycle.transport.write(b"%b%b\r\n%b" % (STATUS_LINE[status], b"".join(lines), body))
    cycle.message_event.set()
    cycle.on_response()


def _is_plain(cycle: RequestResponseCycle) -> bool:
    return (
        cycle.keep_alive
        and not cycle.disconnected
        and not cycle.response_started
        and not cycle.flow.write_paused
        and cycle.scope["method"] != "HEAD"
    )
