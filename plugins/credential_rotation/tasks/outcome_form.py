"""Whether something is an outcome that a task left, whole enough to be used.

Rules this file keeps:
- Nothing in XCom is taken to be whole: a run may have begun under other code, and people can write there.
- What is wrong is told, and never what is in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

Kinds = Mapping[str, tuple[type, ...]]
_NONE = type(None)
_HAS: Kinds = {
    "name": (str,),
    "engine": (str,),
    "strategy": (str,),
    "outcome": (str,),
    "version": (int, _NONE),
    "reason": (str,),
    "next_step": (str,),
    "until": (str, _NONE),
    "attempt": (str,),
    "old_value": (str, _NONE),
    "new_value": (str, _NONE),
    "consumers": (list,),
    "steps": (list,),
}
_ROWS: Mapping[str, tuple[str, ...]] = {
    "consumers": ("consumer", "answer", "why"),
    "steps": ("step", "at", "detail"),
}
"""What is in their lists: objects with these texts."""
_MOMENTS = ("until", "act_by")


def lack_of(one: object, more: Kinds) -> str:
    """What keeps it from being an outcome with these besides; empty where nothing does."""
    if not isinstance(one, Mapping):
        return "it is no object"
    has = {**_HAS, **more}
    wrong = [f"no {name}" for name in has if name not in one]
    wrong += [f"a strange {name}" for name in has if name in one and not _fits(name, one[name], has[name])]
    wrong += [f"a strange {name}" for name in _MOMENTS if not _is_moment(one.get(name))]
    return f"it has {', '.join(dict.fromkeys(wrong))}" if wrong else ""


def _fits(name: str, told: object, kinds: tuple[type, ...]) -> bool:
    """Whether it can be what has this name; no number is below zero."""
    if not isinstance(told, kinds) or isinstance(told, bool):
        return False
    if isinstance(told, list):
        return all(isinstance(row, Mapping) and _has_texts(row, _ROWS[name]) for row in told)
    return not (isinstance(told, int) and told < 0)


def _has_texts(row: Mapping[str, object], names: Sequence[str]) -> bool:
    return all(isinstance(row.get(name), str) for name in names)


def _is_moment(told: object) -> bool:
    try:
        return told is None or datetime.fromisoformat(str(told)).tzinfo is not None
    except ValueError:
        return False
