"""Asking what may hang, for a while and no longer: whoever asks may hold a lock."""

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
