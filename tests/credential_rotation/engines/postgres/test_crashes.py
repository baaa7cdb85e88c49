"""Lost sessions and killed runners: what they leave behind on a real server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import credential_rotation
from credential_rotation.engines.postgres import session as postgres_session
from credential_rotation.errors import ApplyUnknown, Busy, TargetRefused
from credential_rotation.model import Secret
from scenes.postgres.rivals import error_of, is_waiting, lock_pids, role_held, until
from scenes.postgres.role import Scene

CHILD = """
import json, sys
from credential_rotation.engines.postgres.rotator import PostgresRotator
from credential_rotation.model import *
from datetime import datetime, timedelta, timezone
given = json.loads(sys.stdin.readline())
credential = Credential(
    "etl", "postgres", Strategy.IN_PLACE, (given["role"],), Target(given["host"], given["settings"]),
    VaultPlace("p", "password", "k"), Policy("p", timedelta(days=1)), "me", "x.yaml:1")
admin = Secret(*given["admin"]) if given["admin"] else None
now = datetime.now(timezone.utc)
record = Record("r1", 1, "ab12", now, now, Secret(given["role"], given["new"]))
rotator = PostgresRotator(credential, admin=(lambda: admin) if admin else None)
with rotator.lock(Secret(given["role"], given["old"]), changing=given["role"]) as session:
    print("locked", flush=True)
    sys.stdin.readline()
    session.apply(record, found=None, leave=Stamp(1, "ab12", "j"))
"""


def test_a_terminated_lock_session_applies_nothing(scene: Scene, itself: bool) -> None:  # noqa: FBT001 - a parameter
    """The lock is gone with its session, so the change is not sent, and another run may take over."""
    with scene.rotator(itself=itself).lock(scene.first, changing=scene.role) as session:
        for pid in lock_pids(scene):
            scene.sql(f"SELECT pg_terminate_backend({pid}, 2000)")
        with pytest.raises(TargetRefused, match="before anything was sent"):
            session.apply(scene.record(Secret(scene.role, "n" * 20)), found=None, leave=scene.stamp())
        with scene.rotator().lock(None, changing=scene.role):
            pass
    assert scene.logs_in(scene.first)


def test_a_session_terminated_in_the_change_is_unknown(scene: Scene) -> None:
    """From ALTER on, a lost session may have applied; nobody concludes from it."""
    outcome: list[BaseException] = []
    with scene.rotator().lock(None, changing=scene.role) as session, role_held(scene):
        thread = threading.Thread(target=lambda: outcome.append(error_of(scene, session)))
        thread.start()
        until(lambda: is_waiting(scene))
        for pid in lock_pids(scene):
            scene.sql(f"SELECT pg_terminate_backend({pid}, 2000)")
        thread.join()
    assert [type(error) for error in outcome] == [ApplyUnknown]


def test_a_server_that_gives_no_answer_is_unknown_in_time(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that does not come ends the attempt within our own patience, not the server's."""
    with scene.rotator().lock(None, changing=scene.role) as session, role_held(scene):
        monkeypatch.setattr(postgres_session, "PATIENCE", 0.5)
        began = time.monotonic()
        with pytest.raises(ApplyUnknown):
            session.apply(scene.record(Secret(scene.role, "n" * 20)), found=None, leave=scene.stamp())
        assert time.monotonic() - began < 3
    assert scene.logs_in(scene.first)


def test_a_killed_runner_keeps_the_lock_until_its_change_is_over(scene: Scene, itself: bool) -> None:  # noqa: FBT001 - a parameter
    """A runner killed while its ALTER waits: others are busy until the server is done with it."""
    new = Secret(scene.role, "k" * 30)
    with _runner(scene, new, itself=itself) as child:
        with role_held(scene):
            _go(child)
            until(lambda: is_waiting(scene))
            child.kill()
            child.wait()
            with pytest.raises(Busy), scene.rotator().lock(None, changing=scene.role):
                pytest.fail("locked beside a change in flight")
        until(lambda: not lock_pids(scene))
    assert scene.logs_in(scene.first)
    with scene.rotator().lock(None, changing=scene.role):
        pass


def test_a_killed_runners_late_commit_lands_under_its_lock(scene: Scene, itself: bool) -> None:  # noqa: FBT001 - a parameter
    """A runner killed while its COMMIT waits: the lock goes only after the new value is in force."""
    new = Secret(scene.role, "k" * 30)
    with _runner(scene, new, itself=itself) as child:
        with scene.setting("synchronous_standby_names", "nobody"):
            _go(child)
            until(lambda: is_waiting(scene))
            child.kill()
            child.wait()
            with pytest.raises(Busy), scene.rotator().lock(None, changing=scene.role):
                pytest.fail("locked beside a change in flight")
            assert scene.logs_in(scene.first)
        until(lambda: not lock_pids(scene))
    assert (scene.logs_in(new), scene.logs_in(scene.first)) == (True, False)


@contextmanager
def _runner(scene: Scene, new: Secret, *, itself: bool) -> Iterator[subprocess.Popen[str]]:
    """Another runner, in a process of its own, that has locked and waits for a word to apply."""
    given = {
        "role": scene.role,
        "host": scene.server.host,
        "settings": dict(scene.target().settings),
        "admin": None if itself else [scene.admin, scene.admins.password],
        "old": scene.first.password,
        "new": new.password,
    }
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD],
        env={**os.environ, "PYTHONPATH": str(Path(credential_rotation.__file__).parents[1])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        try:
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(json.dumps(given) + "\n")
            child.stdin.flush()
            assert child.stdout.readline() == "locked\n"
            yield child
        finally:
            child.kill()


def _go(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()
