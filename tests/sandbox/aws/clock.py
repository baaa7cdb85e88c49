"""The server's clock: the real one, and a hand to turn it forward."""

import time
from datetime import datetime, timezone


class Clock:
    """Tells the time in seconds since 1970."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def advance(self, seconds: float) -> None:
        """From now on the server lives that much later."""
        self._ahead += seconds

    def set_right(self) -> None:
        """From now on it is as late as it really is."""
        self._ahead = 0.0

    def seconds(self) -> float:
        """Now."""
        return time.time() + self._ahead


def moment(seconds: float) -> datetime:
    """The same as an aware UTC datetime."""
    return datetime.fromtimestamp(seconds, timezone.utc)
