"""A real PgBouncer in front of a real server, in each of its modes: asked as endpoint, refused as target."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from credential_rotation.attempt.attempt import attempt
from credential_rotation.attempt.inspection import verify
from credential_rotation.attempt.turn import Parties
from credential_rotation.engines.postgres.rotator import PostgresRotator
from credential_rotation.errors import TargetRefused
from credential_rotation.model import Answer, Secret
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Request
from sandbox.kept import wait_until
from scenes.postgres.pgbouncer import PgBouncer, pgbouncer
from scenes.postgres.role import Scene
from simulators.scene import SETTLE, SimConsumers
from simulators.vault import SimVault
from simulators.world import World

VERIFIERS = "SELECT rolname, rolpassword FROM pg_authid ORDER BY 1"


@pytest.fixture(params=["session", "transaction"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def by_query(scene: Scene, mode: str, tmp_path: Path) -> Iterator[PgBouncer]:
    with pgbouncer(scene.server, tmp_path, mode=mode, auth="auth_query") as made:
        yield made


@pytest.fixture
def by_file(scene: Scene, mode: str, tmp_path: Path) -> Iterator[PgBouncer]:
    with pgbouncer(scene.server, tmp_path, mode=mode, auth="auth_file") as made:
        yield made


def rotate(rotator: PostgresRotator, vault: SimVault) -> Outcome:
    """Somebody presses the button."""
    begin = Request(at=vault.world.now, by="someone", now=True)
    parties = Parties(vault, rotator, SimConsumers())
    return attempt(rotator.credential, parties, begin=begin, clock=vault.world.clock, settle=SETTLE)


def retired(rotator: PostgresRotator, vault: SimVault) -> Outcome:
    """What the hourly `retire_credentials` finishes."""
    parties = Parties(vault, rotator, SimConsumers())
    return attempt(rotator.credential, parties, begin=None, clock=vault.world.clock, settle=SETTLE)


def verified(rotator: PostgresRotator, vault: SimVault) -> Outcome:
    """What `verify_credentials` finds."""
    parties = Parties(vault, rotator, SimConsumers())
    return verify(rotator.credential, parties, clock=vault.world.clock)


def stored(scene: Scene) -> SimVault:
    vault = SimVault(World())
    vault.put_current(scene.first)
    return vault


def current(vault: SimVault) -> Secret:
    assert vault.current is not None
    return vault.current.secret


def test_one_that_asks_the_server_takes_the_new_value_at_once(scene: Scene, by_query: PgBouncer) -> None:
    """Although it holds a session that was opened with the old one."""
    vault, rotator = stored(scene), scene.rotator(endpoints=(by_query.target,))
    with by_query.connect(scene.first) as application:
        application.execute("SELECT 1")
        done = rotate(rotator, vault)
        assert done.outcome == "rotated", done
        application.execute("SELECT 1")
    assert by_query.logs_in(current(vault))
    assert not by_query.logs_in(scene.first)


def test_one_with_a_file_is_unproved_until_the_file_is_written(scene: Scene, by_file: PgBouncer) -> None:
    """CURRENT is what the primary takes; who comes through the pooler is refused, and that is told."""
    vault, rotator = stored(scene), scene.rotator(endpoints=(by_file.target,))
    with by_file.connect(scene.first) as application:
        application.execute("SELECT 1")
    done = rotate(rotator, vault)
    new = current(vault)
    assert (done.outcome, done.new_value) == ("unproved", Answer.WORKS)
    assert f"127.0.0.1:{by_file.port}: CURRENT unknown" in done.reason
    assert "PgBouncer has its auth_file" in done.reason
    assert "RELOAD" in done.reason
    assert (scene.logs_in(new), scene.logs_in(scene.first), by_file.logs_in(new)) == (True, False, False)
    assert f"127.0.0.1:{by_file.port} still accepts version 0, which was replaced" in done.reason
    assert not verified(rotator, vault).is_done
    by_file.write_users()
    by_file.reload()
    wait_until(lambda: by_file.logs_in(new), "the new file", within=10)
    assert verified(rotator, vault).outcome == "ok"
    assert retired(rotator, vault).outcome == "retired"
    assert len(vault.records) == 1


def test_as_a_target_it_is_recognised_and_nothing_is_changed(scene: Scene, by_query: PgBouncer) -> None:
    """A7: a lock through it is none, whatever its mode; neither of two runs goes on."""
    rotator, changed = scene.rotator(target=by_query.target), scene.sql(VERIFIERS)
    assert rotator.probe(scene.first).answer is Answer.UNKNOWN
    assert "pooler" in rotator.probe(scene.first).why
    for vault in (stored(scene), stored(scene)):
        failed = rotate(rotator, vault)
        assert failed.outcome == "failed"
        assert "is a pooler" in failed.reason
        assert "put the pooler under endpoints" in failed.next_step
        assert vault.records == {}
    with pytest.raises(TargetRefused, match="is a pooler"):
        scene.rotator(target=by_query.target).check_privileges(None)
    assert scene.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]
    assert scene.sql(VERIFIERS) == changed


def test_one_that_cannot_reach_the_server_is_no_refusal(scene: Scene, by_query: PgBouncer) -> None:
    """Where the server behind it is down nothing is concluded, and nothing is changed."""
    vault, rotator = stored(scene), scene.rotator(endpoints=(by_query.target,))
    scene.server.stop()
    try:
        [probe] = rotator.endpoints(scene.first)
        failed = rotate(rotator, vault)
    finally:
        scene.server.start()
    assert probe.answer is Answer.UNKNOWN
    assert failed.outcome == "failed"
    assert vault.records == {}
    vault.world.pass_time(timedelta(hours=1))
    assert scene.logs_in(scene.first)
