"""What a planner has kept of the inventory, as far as it is of our shape.

Rules this file keeps:
- The folder is shared, and its documents may be anybody's: an entry of another shape is left out and named,
  so that it keeps nobody from seeing the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Document = Mapping[str, Any]
_NAMED = 100


def whole(status: Document) -> Document | None:
    """The same with its whole entries alone; None where it is no status. What is left out is a problem."""
    entries = status.get("credentials")
    if not isinstance(entries, list):
        return None
    ours, problems = [one for one in entries if is_entry(one)], status.get("problems")
    told = [str(one) for one in problems] if isinstance(problems, list) else []
    left_out = [f"{_name_of(one)}: what is kept of it cannot be used" for one in entries if not is_entry(one)]
    return {**status, "credentials": ours, "problems": [*told, *left_out[:_NAMED]]}


def is_entry(one: object) -> bool:
    """Whether it can be read as an entry of the inventory."""
    return (
        isinstance(one, Mapping)
        and isinstance(one.get("name"), str)
        and all(fits(one.get(name)) for name, fits in _SHAPES.items())
        and _is_age((one.get("policy") or {}).get("max_age"))
    )


def _is_object(found: object) -> bool:
    return found is None or isinstance(found, Mapping)


def _are_texts(found: object) -> bool:
    return found is None or (isinstance(found, list) and all(isinstance(one, str) for one in found))


def _are_objects(found: object) -> bool:
    return found is None or (isinstance(found, list) and all(isinstance(one, Mapping) for one in found))


def _are_versions(found: object) -> bool:
    return found is None or (isinstance(found, list) and all(isinstance(one, int) for one in found))


def _is_age(found: object) -> bool:
    return found is None or (isinstance(found, int) and found > 0)


_SHAPES: Mapping[str, Callable[[object], bool]] = {
    "policy": _is_object,
    "vault": _is_object,
    "by_hand": _is_object,
    "principals": _are_texts,
    "tags": _are_texts,
    "consumers": _are_texts,
    "awaits": _are_objects,
    "may_be": _are_versions,
}


def _name_of(one: object) -> str:
    name = one.get("name") if isinstance(one, Mapping) else None
    return name[:_NAMED] if isinstance(name, str) else "an entry"
