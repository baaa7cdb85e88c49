"""Asks for answers from Bitwarden itself, not from an agent's memory, for as long as a block runs.

Whoever proves that a value works where it is used must not be shown the one from before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_IS_WANTED: ContextVar[bool] = ContextVar("bitwarden_vault_fresh", default=False)


def is_fresh_wanted() -> bool:
    """Whether this runs in such a block."""
    return _IS_WANTED.get()


@contextmanager
def fresh_lookups() -> Iterator[None]:
    """Lookups by this process within the block are answered by Bitwarden."""
    token = _IS_WANTED.set(True)
    try:
        yield
    finally:
        _IS_WANTED.reset(token)
