"""Signals that end the agent, seen by its loop and by nothing in between."""

from __future__ import annotations

import contextlib
import selectors
import signal
import socket
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def woken_by_signals(selector: selectors.BaseSelector, leave: Callable[[], None]) -> Iterator[None]:
    """A signal ends the wait; Python would otherwise resume it and let the handler do nothing."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for end in (ours, theirs):
            end.settimeout(0)

        def turn(_events: int) -> None:
            ours.recv(64)
            leave()

        selector.register(ours, selectors.EVENT_READ, turn)
        signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        try:
            yield
        finally:
            signal.set_wakeup_fd(-1)
            selector.unregister(ours)
