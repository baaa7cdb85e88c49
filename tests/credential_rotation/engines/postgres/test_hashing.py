"""G9 and G6: how a password reaches the server, and what the server keeps of it."""

from __future__ import annotations

import threading

import pytest

from credential_rotation.engines.postgres.session import LockSession
from credential_rotation.errors import TargetRefused
from credential_rotation.model import Secret, Target
from scenes.postgres.denial import denier
from scenes.postgres.rivals import is_waiting, role_held, until
from scenes.postgres.role import Scene

SERVER = {"password_hashing": "server"}


def apply(scene: Scene, session: LockSession, value: Secret, epoch: int = 1) -> None:
    """As the attempt does it, on whatever stamp is there."""
    session.apply(scene.record(value, epoch), found=session.stamp(scene.role), leave=scene.stamp(epoch))


def seen_meanwhile(scene: Scene, session: LockSession, value: Secret) -> str:
    """What pg_stat_activity shows a superuser while the change waits and after it."""
    with role_held(scene) as commit:
        thread = threading.Thread(target=lambda: _fails(scene, session, value))
        thread.start()
        until(lambda: is_waiting(scene))
        shown = _activity(scene)
        assert "ALTER ROLE" in shown
        commit()
        thread.join()
    return shown + _activity(scene)


def _fails(scene: Scene, session: LockSession, value: Secret) -> None:
    with pytest.raises(TargetRefused, match="XX000"):
        apply(scene, session, value)


def _activity(scene: Scene) -> str:
    return str(scene.sql("SELECT query FROM pg_stat_activity WHERE application_name = 'credential-rotation'"))


def test_hashed_here_nothing_of_the_servers_sees_the_password(scene: Scene) -> None:
    """G9: logs of statements, durations and failures, and pg_stat_activity meanwhile: never the password."""
    scene.sql(f"ALTER ROLE {scene.admin} SET log_min_duration_statement = 0")
    rotator = scene.rotator()
    refused, value = rotator.mint(scene.role), rotator.mint(scene.role)
    with rotator.lock(None, changing=scene.role) as session:
        shown = seen_meanwhile(scene, session, refused)
        apply(scene, session, value)
        assert session.notes == ()
    assert scene.logs_in(value)
    log = scene.server.log()
    assert "SCRAM-SHA-256$" in log
    assert "duration: " in log
    assert [one for one in (refused, value) if one.password in log + shown] == []


def test_hashed_by_the_server_a_superuser_leaves_no_trace(scene: Scene) -> None:
    """G9: `password_hashing: server` turns off what keeps statements, for a change that fails too."""
    scene.sql(
        f"ALTER ROLE {scene.admin} SUPERUSER; ALTER ROLE {scene.admin} SET log_min_duration_statement = 0"
    )
    rotator = scene.rotator(options=SERVER)
    value, failing = rotator.mint(scene.role), rotator.mint(scene.role)
    with rotator.lock(None, changing=scene.role) as session:
        apply(scene, session, value)
        assert scene.logs_in(value)
        scene.sql(f"DROP ROLE {scene.role}")
        with pytest.raises(TargetRefused, match="42704") as refusal:
            apply(scene, session, failing, 2)
        [note] = session.notes
        shown = _activity(scene)
    assert f"the password of {scene.role} was sent for the server to hash" in note
    assert "nothing that keeps statements was on" in note
    told = scene.server.log() + shown + note + str(refusal.value) + refusal.value.next_step
    assert [one for one in (value, failing) if one.password in told] == []


def test_what_an_admin_may_not_turn_off_is_told_with_the_grant(scene: Scene) -> None:
    """G9: the evidence names the settings that may have kept the password; granted, they no longer do."""
    rotator = scene.rotator(options=SERVER)
    first, second = rotator.mint(scene.role), rotator.mint(scene.role)
    with rotator.lock(None, changing=scene.role) as session:
        apply(scene, session, first)
        [note] = session.notes
    assert "may not turn off log_statement, log_min_error_statement, track_activities" in note
    assert first.password in scene.server.log(), "the search finds what is there"
    scene.sql(note.partition("may have kept it: ")[2])
    with rotator.lock(None, changing=scene.role) as session:
        apply(scene, session, second, 2)
        [note] = session.notes
    assert "nothing that keeps statements was on" in note
    assert scene.logs_in(second)
    assert second.password not in scene.server.log()


def test_a_server_that_refuses_hashes_is_told_with_the_remedy(scene: Scene) -> None:
    """G9: found before anything is written, never worked around unasked; the entry's word is the remedy."""
    with denier(scene.server.direct_port) as service:
        service.code, service.only = b"22023", b"SCRAM-SHA-256$"
        target = Target("127.0.0.1", {"port": str(service.port), "sslmode": "disable"})
        with pytest.raises(TargetRefused, match="22023") as refusal:
            scene.rotator(target=target).check_privileges(None)
        assert "`password_hashing: server`" in refusal.value.next_step
        assert all(b"SCRAM-SHA-256$" in change for change in service.seen)
        rotator = scene.rotator(target=target, options=SERVER)
        value = rotator.mint(scene.role)
        with rotator.lock(None, changing=scene.role) as session:
            apply(scene, session, value)
        service.only = b"ALTER ROLE"
        with pytest.raises(TargetRefused) as rules:
            rotator.check_privileges(None)
    assert scene.logs_in(value)
    assert "own rules for passwords" in rules.value.next_step


@pytest.mark.parametrize("option", ["scram", "server"])
def test_a_change_of_kind_that_is_asked_for_is_announced(scene: Scene, option: str) -> None:
    """G6: `check` tells beforehand that md5 becomes SCRAM, where the role's verifier can be seen."""
    scene.sql(
        f"ALTER ROLE {scene.admin} SUPERUSER; SET password_encryption = md5; "
        f"ALTER ROLE {scene.role} PASSWORD 'old'"
    )
    rotator = scene.rotator(options={"password_hashing": option})
    [told] = rotator.remarks(None, in_use=scene.role, due=None, now=scene.record(scene.first).written)
    assert f"md5 → SCRAM: the next rotation changes the kind of {scene.role}'s verifier" in told
    rotator.check_privileges(None)


def test_a_role_of_md5_is_not_changed_unasked(scene: Scene) -> None:
    """G6: the verifier of an md5 role stays, to the byte, until the entry says how passwords are hashed."""
    scene.sql(
        f"ALTER ROLE {scene.admin} SUPERUSER; SET password_encryption = md5; "
        f"ALTER ROLE {scene.role} PASSWORD 'old'"
    )
    verifiers = "SELECT rolname, rolpassword FROM pg_authid ORDER BY 1"
    before = scene.sql(verifiers)
    with pytest.raises(TargetRefused, match="keeps md5 verifiers") as refusal:
        scene.rotator().check_privileges(None)
    assert "password_hashing: scram" in refusal.value.next_step
    assert scene.sql(verifiers) == before


def test_a_server_that_makes_md5_may_not_hash(scene: Scene) -> None:
    """G6: what the server would make could never be proved, so nothing is changed."""
    scene.sql(f"ALTER ROLE {scene.admin} SET password_encryption = md5")
    with pytest.raises(TargetRefused, match="makes md5"):
        scene.rotator(options=SERVER).check_privileges(None)
    assert scene.logs_in(scene.first)
