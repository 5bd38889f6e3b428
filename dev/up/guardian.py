"""Outlives a supervisor that is killed outright, and takes its processes with it.

Reads ``+PID`` and ``-PID`` lines from its standard input: the groups that live. When the input ends, the supervisor
is gone; whoever is still listed is asked to end, then made to. Standard library only: it starts in some 20 ms.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Final

# Nobody waits for a drain any more; long enough for the edge to take its Envoy along.
GRACE_S: Final = 3.0
LOOK_EVERY_S: Final = 0.05


def main() -> None:
    """Listen until the supervisor is gone, then clear up."""
    # Whatever ends the supervisor's session must not end us first.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    end = time.monotonic() + GRACE_S
    for group in groups:
        _signal(os.kill, group, signal.SIGTERM)  # the leaders: they know in which order their own children go
    while time.monotonic() < end and any(_signal(os.killpg, group, 0) for group in groups):
        time.sleep(LOOK_EVERY_S)
    for group in groups:
        _signal(os.killpg, group, signal.SIGKILL)


def _signal(send: Callable[[int, int], None], target: int, number: int) -> bool:
    try:
        send(target, number)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()
