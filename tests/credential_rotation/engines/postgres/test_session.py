"""The lock, the fence and the change, on a real server."""

from __future__ import annotations

import threading

import pytest

from credential_rotation.errors import Busy, TargetRefused, TargetUnknown
from credential_rotation.model import Secret, Stamp, Target
from scenes.postgres.rivals import error_of, is_waiting, role_held, until
from scenes.postgres.role import Scene

# --- the change ----------------------------------------------------------------------------------------


def test_the_new_value_works_and_the_old_is_refused(scene: Scene, itself: bool) -> None:  # noqa: FBT001 - a parameter
    """After apply, the server itself takes the new value and refuses the old one, in both modes."""
    rotator = scene.rotator(itself=itself)
    new = rotator.mint(scene.role)
    with rotator.lock(scene.first, changing=scene.role) as session:
        session.apply(scene.record(new), found=session.stamp(scene.role), leave=scene.stamp())
    assert (scene.logs_in(new), scene.logs_in(scene.first)) == (True, False)


def test_applying_twice_ends_the_same(scene: Scene) -> None:
    """A repeated apply of one version, after an unknown outcome, is no harm."""
    rotator = scene.rotator()
    new = rotator.mint(scene.role)
    for _ in range(2):
        with rotator.lock(None, changing=scene.role) as session:
            session.apply(scene.record(new), found=session.stamp(scene.role), leave=scene.stamp())
    assert scene.logs_in(new)


def test_the_stamp_stands_beside_the_persons_words(scene: Scene) -> None:
    """An admin's change leaves its stamp, the next one replaces it, and a person's comment survives."""
    scene.sql(f"COMMENT ON ROLE {scene.role} IS 'ask bi@ first\n\\ it''s theirs'")
    rotator = scene.rotator()
    for epoch in (1, 2):
        with rotator.lock(None, changing=scene.role) as session:
            session.apply(
                scene.record(rotator.mint(scene.role), epoch),
                found=session.stamp(scene.role),
                leave=scene.stamp(epoch),
            )
            assert session.stamp(scene.role) == scene.stamp(epoch)
    assert scene.comment == (
        "ask bi@ first\n\\ it's theirs\n"
        f"credential-rotation: epoch=000002 attempt=ab12 journal={scene.stamp().journal}"
    )


def test_a_role_that_changes_itself_leaves_no_stamp(scene: Scene) -> None:
    """A role may not comment on itself: its fence is the lock session alone."""
    with scene.rotator(itself=True).lock(scene.first, changing=scene.role) as session:
        session.apply(scene.record(Secret(scene.role, "n" * 20)), found=None, leave=scene.stamp())
        assert session.stamp(scene.role) is None
    assert scene.comment is None


def test_stamp_none_needs_no_right_to_comment(scene: Scene) -> None:
    """`stamp: none` changes the password and leaves the comment alone."""
    rotator = scene.rotator(options={"stamp": "none"})
    with rotator.lock(None, changing=scene.role) as session:
        session.apply(scene.record(rotator.mint(scene.role)), found=None, leave=scene.stamp())
    assert scene.comment is None


def test_settings_of_the_role_do_not_stand_in_its_way(scene: Scene) -> None:
    """A role that logs in read-only, as its owner role and with another search path still changes itself."""
    scene.sql(f"CREATE ROLE owner_of_{scene.role}; GRANT owner_of_{scene.role} TO {scene.role}")
    for setting in (f"role = owner_of_{scene.role}", "default_transaction_read_only = on", "search_path = x"):
        scene.sql(f"ALTER ROLE {scene.role} SET {setting}")
    rotator = scene.rotator(itself=True)
    new = rotator.mint(scene.role)
    with rotator.lock(scene.first, changing=scene.role) as session:
        session.apply(scene.record(new), found=None, leave=scene.stamp())
    assert scene.logs_in(new)


def test_no_password_reaches_the_servers_log(scene: Scene) -> None:
    """G9: with everything logged, neither a change that works nor one that fails shows the password."""
    rotator = scene.rotator()
    values = [rotator.mint(scene.role), rotator.mint(scene.role)]
    with scene.setting("log_min_error_statement", "error"), scene.setting("log_min_duration_statement", "0"):
        with rotator.lock(None, changing=scene.role) as session:
            session.apply(scene.record(values[0]), found=None, leave=scene.stamp())
            scene.sql(f"ALTER ROLE {scene.admin} NOCREATEROLE")
            with pytest.raises(TargetRefused) as refusal:
                session.apply(scene.record(values[1], 2), found=scene.stamp(), leave=scene.stamp(2))
        log = scene.server.log()
    assert log.count(f'ALTER ROLE "{scene.role}" PASSWORD \'SCRAM-SHA-256$') >= 2
    shown = log + str(refusal.value) + refusal.value.next_step
    assert [value.password for value in (*values, scene.first, scene.admins) if value.password in shown] == []
    assert "SCRAM-SHA-256$" not in str(refusal.value) + refusal.value.next_step


# --- the lock ------------------------------------------------------------------------------------------


def test_two_sessions_never_hold_the_lock(scene: Scene) -> None:
    """Who comes second is told so, in either mode; afterwards the lock is free at once."""
    with scene.rotator().lock(None, changing=scene.role):
        for second in (scene.rotator(), scene.rotator(itself=True)):
            with pytest.raises(Busy), second.lock(scene.first, changing=scene.role):
                pytest.fail("two held the lock")
    with scene.rotator().lock(None, changing=scene.role):
        pass


def test_the_lock_is_released_whatever_happened(scene: Scene) -> None:
    """An attempt that ends by an error leaves no lock behind."""
    with pytest.raises(KeyError), scene.rotator().lock(None, changing=scene.role):
        raise KeyError
    with scene.rotator().lock(None, changing=scene.role):
        pass


def test_a_wrong_admin_password_names_the_admin(scene: Scene) -> None:
    """An admin who is refused is named, with the remedy, and nothing was changed."""
    rotator = scene.rotator(admins=Secret(scene.admin, "wrong-value"))
    with pytest.raises(TargetRefused, match=scene.admin) as refusal, rotator.lock(None, changing=scene.role):
        pytest.fail("locked")
    assert "wrong-value" not in str(refusal.value) + refusal.value.next_step


def test_a_role_that_cannot_log_in_cannot_change_itself(scene: Scene) -> None:
    """Self-rotation starts from a value that works."""
    with (
        pytest.raises(TargetRefused),
        scene.rotator(itself=True).lock(Secret(scene.role, "wrong"), changing=scene.role),
    ):
        pytest.fail("locked")
    with pytest.raises(TargetRefused), scene.rotator(itself=True).lock(None, changing=scene.role):
        pytest.fail("locked")


def test_an_unreachable_target_is_unknown(scene: Scene) -> None:
    """No session, no conclusion."""
    with (
        pytest.raises(TargetUnknown),
        scene.rotator(target=Target("127.0.0.1", {"port": "1"})).lock(None, changing=scene.role),
    ):
        pytest.fail("locked")


def test_a_pooler_is_no_target(scene: Scene, pooler_port: int) -> None:
    """A7: whoever names another backend than the one that answers is a pooler: no lock, no proof."""
    settings = {"port": str(pooler_port), "sslmode": "disable"}
    rotator = scene.rotator(target=Target("127.0.0.1", settings), endpoints=(Target("127.0.0.1", settings),))
    with pytest.raises(TargetRefused, match="pooler") as refusal, rotator.lock(None, changing=scene.role):
        pytest.fail("locked")
    assert "under endpoints" in refusal.value.next_step
    assert scene.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]
    assert "pooler" in rotator.probe(scene.first).why
    assert [probe.answer.value for probe in rotator.endpoints(scene.first)] == ["works"]


# --- privileges ----------------------------------------------------------------------------------------


def test_a_missing_privilege_comes_with_the_grant_that_mends_it(scene: Scene) -> None:
    """The lock is refused before anything is written, and running what the message says makes it work."""
    poor = Secret(f"poor_{scene.role}", "p" * 20)
    scene.sql(f"CREATE ROLE {poor.principal} LOGIN PASSWORD '{poor.password}'")
    rotator = scene.rotator(admins=poor)
    with pytest.raises(TargetRefused, match="42501") as refusal:
        rotator.check_privileges(None)
    said = refusal.value.next_step.removeprefix("As a superuser run: ").split(" (")[0]
    scene.sql(said)
    rotator.check_privileges(None)
    assert scene.logs_in(scene.first)
    assert scene.comment is None


def test_check_privileges_changes_nothing(scene: Scene, itself: bool) -> None:  # noqa: FBT001 - a parameter
    """`check` rehearses the change and rolls it back: verifier and comment stay to the byte."""
    scene.sql(f"COMMENT ON ROLE {scene.role} IS 'theirs'")
    state = "SELECT rolname, rolpassword, shobj_description(oid, 'pg_authid') FROM pg_authid ORDER BY 1"
    before = scene.sql(state)
    scene.rotator(itself=itself).check_privileges(scene.first)
    assert scene.sql(state) == before


def test_a_role_that_does_not_exist_is_named(scene: Scene) -> None:
    """A principal with a typing error is found at the lock."""
    scene.sql(f"DROP ROLE {scene.role}")
    with (
        pytest.raises(TargetRefused, match=scene.role) as refusal,
        scene.rotator().lock(None, changing=scene.role),
    ):
        pytest.fail("locked")
    assert "no such role" in refusal.value.next_step


def test_restricted_password_commands_are_named(scene: Scene) -> None:
    """G1: where RDS keeps password changes to the members of one role, the message says which one."""
    scene.sql(f"ALTER ROLE {scene.admin} NOCREATEROLE")
    scene.sql(f"ALTER ROLE {scene.admin} SET rds.restrict_password_commands = 'on'")
    with pytest.raises(TargetRefused) as refusal, scene.rotator().lock(None, changing=scene.role):
        pytest.fail("locked")
    assert "GRANT rds_password TO" in refusal.value.next_step


def test_md5_does_not_become_scram_by_itself(scene: Scene) -> None:
    """G6: on a server that keeps md5 the kind of verifier changes only when the entry says so."""
    scene.sql(f"ALTER ROLE {scene.admin} SET password_encryption = md5")
    with (
        pytest.raises(TargetRefused, match="md5") as refusal,
        scene.rotator().lock(None, changing=scene.role),
    ):
        pytest.fail("locked")
    assert "password_hashing: scram" in refusal.value.next_step
    with scene.rotator(options={"password_hashing": "scram"}).lock(None, changing=scene.role):
        pass


def test_a_role_that_somebody_is_changing_waits_for_the_next_run(scene: Scene) -> None:
    """A person's open transaction on the role ends the attempt in seconds, with nothing changed."""
    with (
        role_held(scene),
        pytest.raises(TargetUnknown, match="55P03"),
        scene.rotator().lock(None, changing=scene.role),
    ):
        pytest.fail("locked")


# --- the fence -----------------------------------------------------------------------------------------


def test_a_stamp_that_moved_on_stops_the_change(scene: Scene) -> None:
    """Another runner has applied since we looked: ours is rolled back, whatever its lock was worth."""
    with scene.rotator().lock(None, changing=scene.role) as session:
        found = session.stamp(scene.role)
        scene.sql(f"COMMENT ON ROLE {scene.role} IS 'credential-rotation: epoch=000009 attempt=x journal=y'")
        with pytest.raises(TargetRefused, match="another runner"):
            session.apply(scene.record(Secret(scene.role, "n" * 20)), found=found, leave=scene.stamp())
        assert session.stamp(scene.role) == Stamp(9, "x", "y")
    assert scene.logs_in(scene.first)


def test_a_rival_in_the_same_moment_wins_alone(scene: Scene) -> None:
    """Two changes at once: the second waits, is refused when the first commits, and leaves nothing."""
    outcome: list[BaseException] = []
    with scene.rotator().lock(None, changing=scene.role) as session, role_held(scene) as commit:
        thread = threading.Thread(target=lambda: outcome.append(error_of(scene, session)))
        thread.start()
        until(lambda: is_waiting(scene))
        commit()
        thread.join()
    assert [type(error) for error in outcome] == [TargetRefused]
    assert "XX000" in str(outcome[0])
    assert scene.logs_in(scene.first)


def test_password_and_stamp_change_together(scene: Scene) -> None:
    """Where the stamp cannot be written, the password stays as it was."""
    with scene.rotator().lock(None, changing=scene.role) as session, scene.connect() as other:
        other.autocommit = False
        other.execute("LOCK TABLE pg_catalog.pg_shdescription IN SHARE MODE")
        with pytest.raises(TargetRefused, match="55P03"):
            session.apply(scene.record(Secret(scene.role, "n" * 20)), found=None, leave=scene.stamp())
    assert scene.logs_in(scene.first)
    assert scene.comment is None


def test_a_record_of_a_foreign_role_is_not_applied(scene: Scene) -> None:
    """Only the entry's principal is ever changed."""
    with (
        scene.rotator().lock(None, changing=scene.role) as session,
        pytest.raises(TargetRefused, match="principals"),
    ):
        session.apply(scene.record(Secret(scene.admin, "n" * 20)), found=None, leave=scene.stamp())
    assert scene.logs_in(scene.admins)


def test_a_foreign_stamp_can_be_replaced_and_the_persons_text_stays(scene: Scene) -> None:
    """Taking over a cloned database: one line of the comment changes, if it is the one that was seen."""
    theirs, ours = Stamp(9, "x", "another"), Stamp(9, "ab12", scene.stamp().journal)
    line = "credential-rotation: epoch=000009 attempt=x journal=another"
    scene.sql(f"COMMENT ON ROLE {scene.role} IS 'Kim''s\n{line}'")
    with scene.rotator().lock(None, changing=scene.role) as session:
        session.restamp(scene.role, found=theirs, leave=ours)
        assert session.stamp(scene.role) == ours
        with pytest.raises(TargetRefused):
            session.restamp(scene.role, found=theirs, leave=ours)
    assert (scene.comment or "").startswith("Kim's\n")
