"""Lanes by their ids: a lane is a queue and a pool in which the tasks of some credentials run.

Rules this file keeps:
- An id depends on its own queue and pool only, so that another entry's edit renames no task.
- Two pairs never share an id: what a task's id cannot hold is replaced, and a digest tells the pairs apart.
"""

from __future__ import annotations

import hashlib
import json
import re

NO_LANE = ""
"""Neither queue nor pool is named: the DAG's own."""
HAND_OUT = "hand_out"
"""The task that hands out the names of a lane."""
AT_ONCE = 4
"""Runs of a DAG with lanes: where a pool has no room, one that waits for it does not hold up the next."""
_LONGEST_NAME = 40
_PLAIN = re.compile(rf"[A-Za-z0-9_-]{{1,{_LONGEST_NAME}}}")
_OTHER = re.compile(r"[^A-Za-z0-9_-]")
_TASK = re.compile(r"(?P<task>.+?)\.(?P<lane>(?:queue|pool)-[A-Za-z0-9_.-]+)")


def lane_id(queue: str | None, pool: str | None) -> str:
    """`queue-NAME.pool-NAME`, or one of the two, or `NO_LANE`."""
    named = [(what, name) for what, name in (("queue", queue), ("pool", pool)) if name]
    parts = [f"{what}-{_OTHER.sub('_', name)[:_LONGEST_NAME]}" for what, name in named]
    if not all(_PLAIN.fullmatch(name) for _, name in named):
        parts.append(hashlib.sha256(json.dumps(named).encode()).hexdigest()[:8])
    return ".".join(parts)


def in_lane(task: str, lane: str) -> str:
    """The id of that task in a lane."""
    return f"{task}.{lane}" if lane else task


def lane_of(task_id: str) -> str:
    """The lane of a task by its id."""
    found = _TASK.fullmatch(task_id)
    return found["lane"] if found else NO_LANE


def without_lane(task_id: str) -> str:
    """The id that the task has where it is in none."""
    found = _TASK.fullmatch(task_id)
    return found["task"] if found else task_id


def in_words(queue: str | None, pool: str | None) -> str:
    """A lane as people know it."""
    named = [f"{what} {name!r}" for what, name in (("queue", queue), ("pool", pool)) if name]
    return " and ".join(named)
