"""``python -m dev.traces``: the viewer, until it is told to stop."""

from dev.traces.run import run
from dev.traces.settings import TracesSettings

run(TracesSettings())
