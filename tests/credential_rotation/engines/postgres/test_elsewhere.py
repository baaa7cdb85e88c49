"""Compromise mode at replicas, poolers and second names: what was opened there with the old value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from credential_rotation.attempt.attempt import attempt
from credential_rotation.attempt.inspection import foresee
from credential_rotation.attempt.turn import Parties
from credential_rotation.engines.postgres.rotator import PostgresRotator
from credential_rotation.model import Secret, Target
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Request
from sandbox.ports import free_ports
from scenes.postgres.pgbouncer import pgbouncer
from scenes.postgres.replica import Replica
from scenes.postgres.role import Scene
from simulators.scene import SETTLE, SimConsumers
from simulators.vault import SimVault
from simulators.world import World


@dataclass
class Leak:
    """A role whose password may be in wrong hands, rotated once or never."""

    rotator: PostgresRotator
    vault: SimVault

    def revoke(self) -> Outcome:
        clock = self.vault.world.clock
        return attempt(self.rotator.credential, self._parties, begin=self._wish, clock=clock, settle=SETTLE)

    def dry_run(self) -> str:
        clock = self.vault.world.clock
        told = foresee(self.rotator.credential, self._parties, begin=self._wish, clock=clock, settle=SETTLE)
        return "; ".join(step.detail for step in told.steps if step.name == "sessions")

    @property
    def _parties(self) -> Parties:
        return Parties(self.vault, self.rotator, SimConsumers())

    @property
    def _wish(self) -> Request:
        now = self.vault.world.now
        return Request(now, "someone", now=True, force=True, revoke=True, reason="seen in a chat")


def leak(scene: Scene, *endpoints: Target, itself: bool = False, may_end: bool = True) -> Leak:
    """Its admin may end sessions, by the grant that include/sql has for that."""
    if may_end:
        scene.sql(f"GRANT pg_signal_backend TO {scene.admin}")
    vault = SimVault(World())
    vault.put_current(scene.first)
    return Leak(scene.rotator(itself=itself, endpoints=endpoints), vault)


def ended_at(outcome: Outcome, port: int) -> list[str]:
    return [one.detail for one in outcome.steps if one.name == "disconnected" and f":{port}" in one.detail]


def goes_on(session: psycopg.Connection[tuple[object, ...]]) -> bool:
    try:
        session.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def test_a_session_on_a_replica_is_ended(scene: Scene, replica: Replica, itself: bool) -> None:  # noqa: FBT001 - a parameter
    """By the admin, or by the role with its new value; the steps say where, and it is revoked."""
    leaked = leak(scene, replica.target, itself=itself)
    replica.catch_up()
    with replica.connect(scene.first) as held:
        assert f"at 127.0.0.1:{replica.port} role {scene.role} has 1 live session" in leaked.dry_run()
        done = leaked.revoke()
        assert done.outcome == "revoked", done.reason
        assert not goes_on(held)
    assert ended_at(done, replica.port) == [f"1 sessions of {scene.role} at 127.0.0.1:{replica.port}"]


def test_a_role_that_becomes_another_ends_its_own(scene: Scene, replica: Replica) -> None:
    """As members of one owner role do at login: who owns everything may not end its members' sessions."""
    scene.server.execute(f"CREATE ROLE {scene.role}_owner NOLOGIN")
    scene.server.execute(f"GRANT {scene.role}_owner TO {scene.role}")
    scene.server.execute(f"ALTER ROLE {scene.role} SET role = {scene.role}_owner")
    replica.catch_up()
    with replica.connect(scene.first) as held:
        assert leak(scene, replica.target, itself=True).revoke().outcome == "revoked"
        assert not goes_on(held)


def test_where_the_admin_may_not_it_is_told_for_each_place(scene: Scene, replica: Replica) -> None:
    """Not revoked: the session goes on, and the GRANT is named with the endpoint."""
    with replica.connect(scene.first) as held:
        told = leak(scene, replica.target, may_end=False).revoke()
        assert goes_on(held)
    assert told.outcome == "unproved"
    assert f"open sessions of role {scene.role} at 127.0.0.1:{replica.port} could not be ended" in told.reason
    assert "GRANT pg_signal_backend" in told.reason


def test_an_endpoint_that_does_not_let_in_is_named_with_what_to_run(scene: Scene) -> None:
    """Nothing is known of its sessions: not revoked, and the dry run has said so."""
    [closed] = free_ports(1)
    leaked = leak(scene, Target("127.0.0.1", {"port": str(closed), "sslmode": "disable"}))
    assert f"sessions at 127.0.0.1:{closed} cannot be seen" in leaked.dry_run()
    told = leaked.revoke()
    assert told.outcome == "unproved"
    assert f"open sessions at 127.0.0.1:{closed} could not be ended" in told.reason
    for word in ("pg_terminate_backend(pid)", f"usename IN ('{scene.role}')"):
        assert word in told.reason


def test_a_second_name_of_the_primary_has_no_sessions_of_its_own(scene: Scene, itself: bool) -> None:  # noqa: FBT001 - a parameter
    """What is open there was ended at the primary, and is told once."""
    leaked = leak(scene, scene.target(), itself=itself)
    with scene.connect(scene.first) as held:
        assert leaked.dry_run().count("live session") == 1
        assert leaked.revoke().outcome == "revoked"
        assert not goes_on(held)


@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_a_pooler_that_shares_its_sessions_keeps_clients_connected(
    scene: Scene, tmp_path: Path, mode: str
) -> None:
    """In session mode a client ends with its session; in transaction mode it goes on, and KILL is told."""
    with pgbouncer(scene.server, tmp_path, mode=mode, auth="auth_query") as pooler:
        leaked = leak(scene, pooler.target)
        with pooler.connect(scene.first) as held:
            held.execute("SELECT 1")
            assert ("goes on" in leaked.dry_run()) is (mode == "transaction")
            told = leaked.revoke()
            if mode == "session":
                assert (told.outcome, goes_on(held)) == ("revoked", False)
                return
            assert (told.outcome, goes_on(held)) == ("revoked", True)
            assert f"127.0.0.1:{pooler.port} is a pooler" in told.reason
            assert "KILL postgres; RESUME postgres;" in told.next_step
            superuser = Secret("bouncer", scene.server.superuser_password)
            with pooler.connect(superuser, "pgbouncer") as console:
                for command in ("KILL postgres", "RESUME postgres"):
                    console.execute(command.encode())
            assert not goes_on(held)
        assert leaked.vault.current is not None
        assert pooler.logs_in(leaked.vault.current.secret)
