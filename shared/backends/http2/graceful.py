"""h2, but for one thing: a GOAWAY does not end the streams that are under way (RFC 9113 §6.8).

h2 takes every GOAWAY for the end of the connection, and then refuses the very frames that the backend finishes with.
Each deploy of a backend says GOAWAY.
"""

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import Event
from h2.settings import SettingCodes, Settings
from hyperframe.frame import Frame, GoAwayFrame

# Of one stream: all that an answer may be, so that the backend never waits for us to say that we read it.
WINDOW: int = 1 << 20
MAX_HEADER_BYTES: int = 64 * 1024


class GracefulH2(H2Connection):
    """The client's side of one connection."""

    def __init__(self) -> None:
        super().__init__(H2Configuration(client_side=True, header_encoding=None))
        self.local_settings = Settings(client=True, initial_values={
            SettingCodes.ENABLE_PUSH: 0,
            SettingCodes.INITIAL_WINDOW_SIZE: WINDOW,
            SettingCodes.MAX_HEADER_LIST_SIZE: MAX_HEADER_BYTES,
        })  # fmt: skip
        self.max_inbound_frame_size = self.local_settings.max_frame_size
        self.decoder.max_header_list_size = MAX_HEADER_BYTES

    def _receive_goaway_frame(self, frame: GoAwayFrame) -> tuple[list[Frame], list[Event]]:
        state = self.state_machine.state
        frames, events = super()._receive_goaway_frame(frame)
        if frame.error_code == ErrorCodes.NO_ERROR:
            self.state_machine.state = state
        return frames, events
