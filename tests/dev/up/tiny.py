"""A service for the player's tests: ready when told to be, and as stubborn as told to be.

tiny.py NAME JOURNAL [OPTION...]: listens on $TINY_LISTEN, writes "NAME begun|ready|ended" to JOURNAL.
Options: late (ready only after 0.3 s), die (ends with 3 right after it was ready), deaf (ignores SIGTERM),
child (starts a process of its own and leaves it behind), never (is never ready).
"""

import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

name, journal, *options = sys.argv[1:]
begun = time.monotonic()


def note(what: str) -> None:
    """Write a line to the journal."""
    with Path(journal).open("a", encoding="utf-8") as out:
        out.write(f"{name} {what} {os.getpid()}\n")


class Handler(BaseHTTPRequestHandler):
    told = False

    def do_GET(self) -> None:
        ready = "never" not in options and not ("late" in options and time.monotonic() - begun < 0.3)
        if ready and not Handler.told:
            Handler.told = True
            note("ready")
        self.send_response(200 if ready else 503)
        self.end_headers()
        self.wfile.write(repr(dict(os.environ)).encode())
        if ready and "die" in options:
            sys.stdout.write("this is the last thing I say\n")
            sys.stdout.flush()
            os._exit(3)

    def log_message(self, *args: object) -> None:
        pass


host, _, port = os.environ["TINY_LISTEN"].rpartition(":")
server = HTTPServer((host, int(port)), Handler)


def end(*_: object) -> None:
    """Note SIGTERM, and obey unless deaf."""
    note("ended")
    if "deaf" not in options:
        threading.Thread(target=server.shutdown).start()


signal.signal(signal.SIGTERM, end)
note("begun")
if "child" in options:
    child = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.pause()"])
    with Path(journal).open("a", encoding="utf-8") as out:
        out.write(f"{name}-child begun {child.pid}\n")
server.serve_forever()
os._exit(0)
