"""Starts a component again where SQLite made it end, as the service manager of a deployment would.

SQLite has one writer. Airflow's scheduler ends when it has waited too long for its turn, which a deployment's
own database does not do to it. Whatever else ends a component is left as it is, for the tests to see.
"""

import threading
from collections.abc import Callable

from sandbox.kept import Kept

_EVERY = 1.0
_LOCKED = "database is locked"


class Supervisor:
    """Looks after one component until it is told to stop."""

    def __init__(self, component: Callable[[], Kept | None], start_again: Callable[[], None]) -> None:
        self._component, self._start_again = component, start_again
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more; returns when nothing is being started."""
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(_EVERY):
            kept = self._component()
            if kept is not None and kept.has_ended() and _LOCKED in kept.tail():
                self._start_again()
