"""What the trace viewer reads from its environment."""

from pydantic import PositiveInt

from shared.settings import ListenAddress, ServiceSettings


class TracesSettings(ServiceSettings):
    """Two addresses and one bounded store.

    ``database`` is a path, or ``:memory:`` for a viewer that forgets.
    """

    listen: ListenAddress = "127.0.0.1:16686"
    otlp_listen: ListenAddress = "127.0.0.1:4318"
    database: str = ":memory:"
    # An afternoon of clicking, and a list that still opens at once.
    max_traces: PositiveInt = 2_000
    # A dashboard makes about ten spans; this is room for a screen that runs wild, and still a page that scrolls.
    max_spans: PositiveInt = 2_000
