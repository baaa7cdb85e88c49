"""G4: a server that bans a role after one wrong login, for the right password too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from credential_rotation.attempt.attempt import attempt
from credential_rotation.attempt.turn import Parties
from credential_rotation.engines.postgres.rotator import PostgresRotator
from credential_rotation.model import Answer, Secret, Target
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Request
from scenes.postgres.ban import Bouncer, bouncer
from scenes.postgres.role import Scene
from simulators.scene import SETTLE, SimConsumers
from simulators.vault import SimVault
from simulators.world import Crash, Fault, World


@dataclass
class Strict:
    """A role that an admin changes, where one wrong login locks it out."""

    scene: Scene
    door: Bouncer

    def __post_init__(self) -> None:
        self.world = World()
        self.vault = SimVault(self.world)
        self.vault.put_current(self.scene.first)
        self.entry(prove_dead="catalog", max_wrong_logins=0)

    def entry(self, *, prove_dead: str = "login", max_wrong_logins: int | None = None) -> None:
        target = Target("127.0.0.1", {"port": str(self.door.port), "sslmode": "disable"})
        entry = replace(
            self.scene.credential(target=target), prove_dead=prove_dead, max_wrong_logins=max_wrong_logins
        )
        self.rotator = PostgresRotator(entry, admin=lambda: self.scene.admins)

    def rotate(self, *, force: bool = False) -> Outcome:
        parties = Parties(self.vault, self.rotator, SimConsumers())
        reason = "locked out" if force else None
        begin = Request(at=self.world.now, by="someone", now=True, force=force, reason=reason)
        return attempt(self.rotator.credential, parties, begin=begin, clock=self.world.clock, settle=SETTLE)

    @property
    def current(self) -> Secret:
        assert self.vault.current is not None
        return self.vault.current.secret


@pytest.fixture
def strict(scene: Scene) -> Iterator[Strict]:
    with bouncer(scene.server.direct_port) as door:
        yield Strict(scene, door)


def test_the_usual_proof_locks_the_role_out_here(strict: Strict) -> None:
    """G4: with `prove_dead: login` the proof itself is the wrong login; what comes of it is told."""
    strict.entry()
    assert strict.rotate().outcome == "rotated"
    assert strict.door.wrong == [strict.scene.role]
    banned = strict.rotate()
    assert banned.outcome == "failed"
    assert "banned or locked out" in banned.reason
    assert "max_wrong_logins: 0" in banned.next_step


def test_a_ban_is_neither_works_nor_refused(strict: Strict) -> None:
    """G4: to the right value a ban says nothing about it; lifted, the value works."""
    assert strict.rotator.probe(Secret(strict.scene.role, "wrong")).answer is Answer.REFUSED
    banned = strict.rotator.probe(strict.scene.first)
    assert (banned.answer, "banned or locked out" in banned.why) == (Answer.UNKNOWN, True)
    assert "Let the role in again" in banned.next_step
    strict.door.lift()
    assert strict.rotator.probe(strict.scene.first).answer is Answer.WORKS


def test_a_rotation_makes_no_wrong_login(strict: Strict) -> None:
    """G4: proved dead by the catalog, rotations retire every old version, and nobody is banned."""
    for _ in range(3):
        before = strict.current
        done = strict.rotate()
        assert done.outcome == "rotated"
        assert (strict.scene.logs_in(strict.current), strict.scene.logs_in(before)) == (True, False)
        assert len(strict.vault.records) == 1
    told = [step.detail for step in done.steps if step.name == "old value refused by catalog"]
    assert len(told) == 1
    assert "not tried; a role has one password, CURRENT's logs in" in told[0]
    assert "the stamp that was committed with it names CURRENT's version" in told[0]
    assert strict.door.wrong == []


def test_a_crash_before_promote_leads_to_no_wrong_login(strict: Strict) -> None:
    """G4: killed when the new value is set and CURRENT not: run again, it is finished, nothing tried."""
    position = _position(strict, "vault: write CURRENT")
    strict.world.fault = Fault(at=len(strict.world.calls) + position, kind="crash before")
    with pytest.raises(Crash):
        strict.rotate()
    strict.world.pass_time(SETTLE + timedelta(minutes=1))
    assert strict.rotate().is_done
    assert strict.scene.logs_in(strict.current)
    assert strict.door.wrong == []


def _position(strict: Strict, write: str) -> int:
    """Which call of a rotation this write is, the last of its kind, from one that nothing disturbs."""
    before = len(strict.world.calls)
    assert strict.rotate().outcome == "rotated"
    calls = strict.world.calls[before:]
    return len(calls) - calls[::-1].index(write)


def test_a_password_changed_by_hand_costs_one_login_and_stops(strict: Strict) -> None:
    """G4: CURRENT is tried, being what everybody uses; refused, nothing else is, and a person is called.

    A forced run tries CURRENT once more; what it set is finished once the ban is lifted.
    """
    assert strict.rotate().outcome == "rotated"
    strict.scene.sql(f"ALTER ROLE {strict.scene.role} PASSWORD 'by-hand'")
    failed = strict.rotate()
    assert (failed.outcome, strict.door.wrong) == ("failed", [strict.scene.role])
    assert "changed by hand" in failed.reason
    strict.door.lift()
    banned = strict.rotate(force=True)
    assert (banned.outcome, "banned or locked out" in banned.reason) == ("failed", True)
    strict.door.lift()
    strict.world.pass_time(SETTLE + timedelta(minutes=1))
    assert strict.rotate().is_done
    assert strict.scene.logs_in(strict.current)
