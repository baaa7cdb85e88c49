"""Asking in the background: what may hang, for a while and no longer; what takes its time, ahead of need."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

Told = TypeVar("Told")


def answer_within(seconds: float, ask: Callable[[], Told]) -> Told | None:
    """The answer, or None where there is none in time; what hangs is left behind. `ask` may not raise."""
    answer: list[Told] = []
    asking = threading.Thread(target=lambda: answer.append(ask()), daemon=True)
    asking.start()
    asking.join(seconds)
    return answer[0] if answer else None


def ahead(ask: Callable[[], Told]) -> Callable[[], Told]:
    """Begin to ask now; what it returns waits for the answer, and gives it or raises what `ask` raised.

    An answer that nobody comes for keeps no process from ending.
    """
    answer: list[Told] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            answer.append(ask())
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is wanted
            raised.append(error)

    asking = threading.Thread(target=run, daemon=True)
    asking.start()

    def wait() -> Told:
        asking.join()
        if raised:
            raise raised[0]
        return answer[0]

    return wait
