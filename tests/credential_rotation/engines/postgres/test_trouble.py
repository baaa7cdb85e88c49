"""Trouble in the middle of a change, and runs that come through a pooler."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from credential_rotation.attempt.attempt import attempt
from credential_rotation.attempt.turn import Parties
from credential_rotation.engines.postgres.rotator import PostgresRotator
from credential_rotation.engines.postgres.session import LockSession
from credential_rotation.errors import TargetUnknown
from credential_rotation.model import Answer, Target
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Request
from scenes.postgres.cut import cutter, other_name
from scenes.postgres.rivals import error_of, is_waiting, until
from scenes.postgres.role import Scene
from simulators.scene import SETTLE, SimConsumers
from simulators.vault import SimVault
from simulators.world import World

VERIFIERS = "SELECT rolname, rolpassword FROM pg_authid ORDER BY 1"


def plain(port: int) -> Target:
    """By way of a stand-in, which speaks no TLS."""
    return Target("127.0.0.1", {"port": str(port), "sslmode": "disable"})


def rotate(rotator: PostgresRotator, vault: SimVault) -> Outcome:
    """Somebody presses the button."""
    begin = Request(at=vault.world.now, by="someone", now=True)
    parties = Parties(vault, rotator, SimConsumers())
    return attempt(rotator.credential, parties, begin=begin, clock=vault.world.clock, settle=SETTLE)


def stored(scene: Scene) -> SimVault:
    """A vault that holds the role's password."""
    vault = SimVault(World())
    vault.put_current(scene.first)
    return vault


def test_a_reply_lost_after_the_commit_is_found_out_and_not_set_again(scene: Scene, itself: bool) -> None:  # noqa: FBT001 - a parameter
    """Cut between commit and reply: urgent, the record kept; the next run promotes what is set already."""
    vault = stored(scene)
    with cutter(scene.server.direct_port) as front:
        rotator = scene.rotator(itself=itself, target=plain(front.port))
        failed = rotate(rotator, vault)
        assert (failed.outcome, failed.is_urgent, front.cuts) == ("failed", True, 1)
        newest = max(vault.records.values(), key=lambda one: one.order)
        assert (scene.logs_in(newest.secret), scene.logs_in(scene.first)) == (True, False)
        changed = scene.sql(VERIFIERS)
        front.is_armed = False
        parties = Parties(vault, rotator, SimConsumers())
        vault.world.pass_time(SETTLE + timedelta(minutes=1))
        clock = vault.world.clock
        again = attempt(rotator.credential, parties, begin=None, clock=clock, settle=SETTLE)
    assert again.outcome == "recovered"
    assert vault.current is not None
    assert vault.current.secret == newest.secret
    assert scene.sql(VERIFIERS) == changed


def test_a_server_restarted_in_the_middle_of_the_change_keeps_the_old_value(scene: Scene) -> None:
    """Restarted while ALTER waits: the outcome is unknown, nobody concludes, and the old value logs in."""
    outcome: list[BaseException] = []
    with scene.rotator().lock(None, changing=scene.role) as session:
        holder = scene.connect()
        holder.autocommit = False
        holder.execute(f"ALTER ROLE {scene.role} CONNECTION LIMIT 7")
        thread = threading.Thread(target=lambda: outcome.append(error_of(scene, session)))
        thread.start()
        until(lambda: is_waiting(scene))
        scene.server.restart()
        thread.join()
    with pytest.raises(psycopg.OperationalError):
        holder.execute("SELECT 1")
    assert [type(error).__name__ for error in outcome] == ["ApplyUnknown"]
    assert scene.logs_in(scene.first)


def test_two_runs_through_a_pooler_are_both_refused(scene: Scene, pooler_port: int) -> None:
    """A7: neither wins by a lock that is none; nothing is recorded, changed or left locked."""
    vaults, outcomes = [stored(scene), stored(scene)], []
    rotator = scene.rotator(target=plain(pooler_port))
    changed = scene.sql(VERIFIERS)
    threads = [
        threading.Thread(target=lambda vault=vault: outcomes.append(rotate(rotator, vault)))
        for vault in vaults
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.outcome for one in outcomes] == ["failed", "failed"]
    assert all("is a pooler" in one.reason for one in outcomes)
    assert all("Give the direct host as target" in one.next_step for one in outcomes)
    assert [vault.records for vault in vaults] == [{}, {}]
    assert scene.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]
    assert scene.sql(VERIFIERS) == changed


@pytest.mark.parametrize("wrong", ["name", "authority"])
def test_a_server_that_proves_itself_wrongly_is_told_no_secret(scene: Scene, wrong: str) -> None:
    """TLS comes before the login: with a wrong name or authority the server never hears of admin or role."""
    heard = _heard(scene)
    with other_name(scene.server.port) as (host, port):
        settings = {"port": str(port), "sslrootcert": str(scene.server.ca_file)}
        target = Target(host, settings)
        if wrong == "authority":
            target = Target(scene.server.host, {"port": str(scene.server.port)})
        rotator = scene.rotator(target=target)
        with pytest.raises(TargetUnknown, match="certificate"):
            rotator.check_privileges(None)
        probe = rotator.probe(scene.first)
    assert (probe.answer, "certificate" in probe.why) == (Answer.UNKNOWN, True)
    assert _heard(scene) == heard
    scene.rotator().check_privileges(None)
    assert _heard(scene) > heard, "the search finds what is there"


def _heard(scene: Scene) -> int:
    """How often the server has logged one of the two."""
    return sum(scene.server.log().count(f"user={name} ") for name in (scene.role, scene.admin))


@pytest.mark.parametrize("method", ["trust", "password"])
def test_where_any_password_would_do_no_version_begins(scene: Scene, method: str) -> None:
    """A login that proves nothing is no proof that CURRENT works, nor that a new value would."""
    vault, before = stored(scene), scene.sql(VERIFIERS)
    with scene.admitted_by(method):
        failed = rotate(scene.rotator(), vault)
        assert failed.outcome == "failed"
        assert "did not demand SCRAM" in failed.reason
        assert (vault.records, scene.sql(VERIFIERS)) == ({}, before)
    assert rotate(scene.rotator(), vault).outcome == "rotated"


def test_where_trust_comes_in_the_middle_nothing_is_promoted(scene: Scene) -> None:
    """Set while the server asked for SCRAM, to be proved where it does not: the record waits for proof."""
    vault = stored(scene)
    rotator = scene.rotator()
    with ExitStack() as trusted:
        apply = LockSession.apply

        def applied_then_trusted(session: LockSession, *given: Any, **named: Any) -> None:  # noqa: ANN401 - handed on
            apply(session, *given, **named)
            trusted.enter_context(scene.admitted_by("trust"))

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(LockSession, "apply", applied_then_trusted)
            failed = rotate(rotator, vault)
        assert failed.outcome == "failed"
        assert vault.current is not None
        assert vault.current.secret == scene.first
    newest = max(vault.records.values(), key=lambda one: one.order)
    assert (scene.logs_in(newest.secret), scene.logs_in(scene.first)) == (True, False)
    vault.world.pass_time(SETTLE + timedelta(minutes=1))
    parties = Parties(vault, rotator, SimConsumers())
    again = attempt(rotator.credential, parties, begin=None, clock=vault.world.clock, settle=SETTLE)
    assert again.outcome == "recovered"
    assert vault.current.secret == newest.secret


def test_no_session_left_for_the_admin_waits_for_the_next_run(scene: Scene) -> None:
    """Too many connections: nothing is recorded and nothing changed, and the reason is said."""
    scene.sql(f"ALTER ROLE {scene.admin} CONNECTION LIMIT 0")
    vault = stored(scene)
    failed = rotate(scene.rotator(), vault)
    assert (failed.outcome, "53300" in failed.reason) == ("failed", True)
    assert "too many connections" in failed.reason
    assert vault.records == {}
    assert scene.logs_in(scene.first)
