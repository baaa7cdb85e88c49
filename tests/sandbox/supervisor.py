"""Starts a component again where SQLite made it end, as the service manager of a deployment would.

SQLite has one writer. Airflow's scheduler gives up when it has waited too long for its turn, which a
deployment's own database does not do to it, and at times hangs then: a liveness probe would see that.
Whatever else ends a component is left as it is, for the tests to see.
"""

import threading
import time
from collections.abc import Callable

from sandbox.kept import Kept

_EVERY = 1.0
_LOCKED = "database is locked"
_GAVE_UP = "Exception when executing SchedulerJob"
_HANGS_AFTER = 10.0
"""Seconds from giving up to the end of its tasks and its own."""


class Supervisor:
    """Looks after one component until it is told to stop."""

    def __init__(self, component: Callable[[], Kept | None], start_again: Callable[[], None]) -> None:
        self._component, self._start_again = component, start_again
        self._over = threading.Event()
        self._gave_up_at: float | None = None
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more; returns when nothing is being started."""
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(_EVERY):
            kept = self._component()
            if kept is None:
                continue
            if kept.has_ended():
                if _LOCKED in kept.tail():
                    self._start_again()
            elif self._hangs(kept):
                self._start_again()

    def _hangs(self, kept: Kept) -> bool:
        """Whether it gave up because of SQLite, and lives on for long."""
        said = kept.said()
        if _GAVE_UP not in said or _LOCKED not in said:
            self._gave_up_at = None
            return False
        self._gave_up_at = self._gave_up_at or time.monotonic()
        return time.monotonic() - self._gave_up_at > _HANGS_AFTER
