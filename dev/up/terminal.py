"""Under ``make up``, Ctrl-C is for the player alone.

A terminal sends Ctrl-C to its whole foreground group, and ``make`` then ends with an error of its own, whatever its
child does. So the player becomes the foreground group while it runs, and hands the terminal back.
"""

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def own_terminal(environment: Mapping[str, str]) -> Iterator[None]:
    """Be the terminal's foreground group, if ``make`` started us on one."""
    if "MAKELEVEL" not in environment or not sys.stdin.isatty():
        yield
        return
    terminal, before = sys.stdin.fileno(), os.getpgrp()
    # A background group that takes or hands back the terminal would be stopped for it. Ctrl-Z would stop us
    # without the shell noticing: it watches make's group.
    for number in (signal.SIGTTOU, signal.SIGTSTP):
        signal.signal(number, signal.SIG_IGN)
    os.setpgid(0, 0)
    os.tcsetpgrp(terminal, os.getpgrp())
    try:
        yield
    finally:
        os.tcsetpgrp(terminal, before)
