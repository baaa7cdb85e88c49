"""A replica that lags: of one role the primary decides, of a pair every endpoint does."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from credential_rotation.attempt.attempt import attempt
from credential_rotation.attempt.inspection import verify
from credential_rotation.attempt.turn import Parties
from credential_rotation.engines.postgres.rotator import PostgresRotator
from credential_rotation.model import Answer, Credential, Policy, Secret, Strategy
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Request
from scenes.postgres.replica import Replica
from scenes.postgres.role import Scene
from simulators.scene import SETTLE, SimConsumers
from simulators.vault import SimVault
from simulators.world import World

GRACE = timedelta(hours=1)
VERIFIERS = "SELECT rolname, rolpassword FROM pg_authid ORDER BY 1"


@dataclass
class Site:
    """An entry with the replica as an endpoint, and a vault that holds the role's password."""

    scene: Scene
    credential: Credential

    def __post_init__(self) -> None:
        self.vault = SimVault(World())
        self.vault.put_current(self.scene.first)
        rotator = PostgresRotator(self.credential, admin=lambda: self.scene.admins)
        self.parties = Parties(self.vault, rotator, SimConsumers())

    def run(self, *, begin: bool) -> Outcome:
        world = self.vault.world
        wish = Request(at=world.now, by="someone", now=True) if begin else None
        return attempt(self.credential, self.parties, begin=wish, clock=world.clock, settle=SETTLE)

    def verify(self) -> Outcome:
        return verify(self.credential, self.parties, clock=self.vault.world.clock)

    @property
    def current(self) -> Secret:
        assert self.vault.current is not None
        return self.vault.current.secret


def test_of_one_role_the_primary_decides_and_a_replica_that_lags_is_told(
    scene: Scene, replica: Replica
) -> None:
    """CURRENT is the new value, which the replica refuses yet: not green, and asked again until it has it."""
    site = Site(scene, scene.credential(endpoints=(replica.target,)))
    replica.lag()
    done = site.run(begin=True)
    new = site.current
    assert (done.outcome, done.new_value) == ("unproved", Answer.WORKS)
    assert f"127.0.0.1:{replica.port}: CURRENT refused" in done.reason
    assert (scene.logs_in(new), replica.logs_in(new), replica.logs_in(scene.first)) == (True, False, True)
    assert f"127.0.0.1:{replica.port} still accepts version 0" in done.reason
    assert not site.verify().is_done
    replica.catch_up()
    assert site.verify().outcome == "ok"
    assert replica.logs_in(new)
    assert (len(site.vault.records), site.run(begin=False).outcome) == (2, "retired")


def pair(scene: Scene, replica: Replica) -> Site:
    """Two roles, which the replica knows by now."""
    other = f"{scene.role}_b"
    scene.server.create_role(other, "never told")
    scene.server.let_rotate(scene.admin, other)
    credential = replace(
        scene.credential(endpoints=(replica.target,)),
        strategy=Strategy.ALTERNATING,
        principals=(scene.role, other),
        policy=Policy("p", max_age=timedelta(days=90), grace=GRACE),
    )
    replica.catch_up()
    return Site(scene, credential)


def test_of_a_pair_nobody_is_sent_where_a_replica_lags(scene: Scene, replica: Replica) -> None:
    """The other role becomes CURRENT only when the replica knows its password too; no version is lost."""
    site = pair(scene, replica)
    other = site.credential.principals[1]
    replica.lag()
    held = site.run(begin=True)
    assert held.outcome not in {"rotated", "recovered"}
    assert site.current == scene.first
    assert (scene.logs_in(scene.first), replica.logs_in(scene.first)) == (True, True)
    set_then = scene.sql(VERIFIERS)
    replica.catch_up()
    site.vault.world.pass_time(SETTLE + timedelta(minutes=1))
    assert site.run(begin=False).is_done
    assert site.current.principal == other
    assert (scene.logs_in(site.current), replica.logs_in(site.current)) == (True, True)
    assert scene.sql(VERIFIERS) == set_then, "no second value was made"


def test_a_replaced_value_is_kept_on_record_while_a_replica_accepts_it(
    scene: Scene, replica: Replica
) -> None:
    """Ended at the primary, alive where it lags: told by name, not green; retired when that has caught up."""
    site = pair(scene, replica)
    assert site.run(begin=True).outcome == "rotated"
    site.vault.world.pass_time(GRACE + timedelta(minutes=1))
    replica.lag()
    kept = site.run(begin=False)
    assert (kept.outcome, kept.old_value) == ("unproved", Answer.WORKS)
    assert f"127.0.0.1:{replica.port} still accepts version 0, which was replaced" in kept.reason
    assert (scene.logs_in(scene.first), replica.logs_in(scene.first)) == (False, True)
    assert len(site.vault.records) == 2
    replica.catch_up()
    assert site.run(begin=False).outcome == "retired"
    assert not replica.logs_in(scene.first)


def test_a_replica_that_hears_of_the_end_a_moment_later_is_waited_for(scene: Scene, replica: Replica) -> None:
    """A second behind: the pair is retired, and green, as is one role."""
    site = pair(scene, replica)
    assert site.run(begin=True).outcome == "rotated"
    site.vault.world.pass_time(GRACE + timedelta(minutes=1))
    replica.lag()
    later = threading.Timer(1, replica.catch_up)
    later.start()
    assert site.run(begin=False).outcome == "retired"
    later.join()
    assert not replica.logs_in(scene.first)


@pytest.mark.parametrize("kind", ["one role", "a pair"])
def test_a_replica_that_hears_of_the_new_value_a_moment_later_is_waited_for(
    scene: Scene, replica: Replica, kind: str
) -> None:
    """A second behind is how replicas are: green at the first run."""
    site = (
        pair(scene, replica)
        if kind == "a pair"
        else Site(scene, scene.credential(endpoints=(replica.target,)))
    )
    replica.lag()
    later = threading.Timer(1, replica.catch_up)
    later.start()
    assert site.run(begin=True).outcome == "rotated"
    later.join()
    assert replica.logs_in(site.current)
