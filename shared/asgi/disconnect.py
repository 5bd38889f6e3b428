"""When the client leaves, its request is cancelled, and with it every backend call.

Owns the watch on the connection. A watcher task for each request would cost a third of the throughput, so the watch
begins only when an answer takes longer than most do.
"""

import asyncio
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.asgi.context import context_of
from shared.telemetry.ledger import Ledger

# Most answers are out before this; a client that leaves earlier is noticed now.
WATCH_AFTER_S: Final = 0.03

# nginx's number for a client that closed the request: it appears in logs and metrics only.
CLIENT_LEFT: Final = 499

DISCONNECT: Final[Message] = {"type": "http.disconnect"}


class DisconnectMiddleware:
    """Cancels the request's task once its client has gone; answers nothing then."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app under a watch."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        watch = Watch(scope, receive)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                watch.stop()  # a server reports its own end of the answer as a disconnect, too
            await send(message)

        watch.begin()
        try:
            await self._app(scope, watch.receive, sending)
        except ClientDisconnect:
            pass  # it left while it was still sending
        except asyncio.CancelledError:
            if not watch.took_the_blame():
                raise
        finally:
            watch.end(context_of(scope).ledger)


class Watch:
    """Reads the connection for the app until the body is whole, then waits for the client to leave."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        # An app that needs no body never reads it, so a request is watched from the start if it says that it has none.
        self._whole = not any(
            name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
            for name, value in scope["headers"]
        )
        self._bodyless = self._whole
        self._request = asyncio.current_task()
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False
        self.cancelled = False
        self.gone = asyncio.Event()

    def begin(self) -> None:
        """Begin to watch, if there is no answer soon."""
        self._timer = asyncio.get_running_loop().call_later(WATCH_AFTER_S, self._start)

    def stop(self) -> None:
        """Watch no more."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None and not self.gone.is_set():
            self._task.cancel()

    def took_the_blame(self) -> bool:
        """Tell whether a cancellation was only ours, for a client that left; it is undone then."""
        task = asyncio.current_task()
        return self.cancelled and task is not None and task.uncancel() == 0

    def end(self, ledger: Ledger) -> None:
        """Stop, and note it if the client left, also when the app made something else of that, such as a 400."""
        self.stop()
        if self.gone.is_set():
            ledger.status = CLIENT_LEFT

    def _start(self) -> None:
        if not self._stopped and self._task is None and self._whole:
            self._task = asyncio.get_running_loop().create_task(self._until_gone())

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone.set()
        if not self._stopped and self._request is not None:
            self.cancelled = self._request.cancel()

    async def receive(self) -> Message:
        """Give the app its body, then, if it asks on, the disconnect."""
        if self._bodyless:
            self._bodyless = False
            return {"type": "http.request", "body": b"", "more_body": False}
        if self._whole:
            self._start()
            await self.gone.wait()
            return DISCONNECT
        message = await self._receive()
        if message["type"] == "http.disconnect":
            if not self._stopped:  # else it is the end of our own answer
                self.gone.set()
        elif not message.get("more_body", False):
            self._whole = True
            if self._timer is not None and self._timer.when() <= asyncio.get_running_loop().time():
                self._start()
        return message
