import asyncio

import uvloop


def pytest_asyncio_loop_factories():
    """Run every test here on both loops: the services run on uvloop, whose transports differ in small ways."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
