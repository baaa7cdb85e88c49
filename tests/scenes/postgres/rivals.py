"""Who else is at the role at the same moment, and what the server knows of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from credential_rotation.engines.postgres.session import LockSession
from credential_rotation.errors import ApplyUnknown, TargetRefused
from credential_rotation.model import Secret
from scenes.postgres.role import Scene


def until(true: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for the server to get there."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


def lock_pids(scene: Scene, *, waiting: bool = False) -> list[int]:
    """The backends that work as the rotation, or those of them that wait for somebody else."""
    rows = scene.sql(
        "SELECT pid, usename, state = 'active' AND wait_event_type IN ('Lock', 'IPC') "
        "FROM pg_stat_activity WHERE application_name = 'credential-rotation'"
    )
    names = (scene.role, scene.admin)
    return [pid for pid, name, waits in rows if name in names and (waits or not waiting)]


def is_waiting(scene: Scene) -> bool:
    """Whether the rotation's session waits for somebody else."""
    return bool(lock_pids(scene, waiting=True))


@contextmanager
def role_held(scene: Scene) -> Iterator[Callable[[], None]]:
    """Somebody's open transaction on the role makes every other change of it wait; gives its commit."""
    with scene.connect() as connection:
        connection.autocommit = False
        connection.execute(f"ALTER ROLE {scene.role} CONNECTION LIMIT 7")
        try:
            yield connection.commit
        finally:
            connection.rollback()


def error_of(scene: Scene, session: LockSession) -> BaseException:
    """What keeps this session from applying."""
    with pytest.raises((TargetRefused, ApplyUnknown)) as error:
        session.apply(scene.record(Secret(scene.role, "n" * 20)), found=None, leave=scene.stamp())
    return error.value
