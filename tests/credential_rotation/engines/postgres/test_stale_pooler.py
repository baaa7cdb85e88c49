"""A1: a pooler in front goes on with the old verifier for a while after a change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from credential_rotation.attempt.attempt import attempt
from credential_rotation.attempt.inspection import verify
from credential_rotation.attempt.turn import Parties
from credential_rotation.model import Answer, Current, Record, Secret, Target
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Request
from scenes.postgres.role import Scene
from scenes.postgres.stale_pooler import StalePooler, stale_pooler
from simulators.scene import SETTLE, SimConsumers
from simulators.vault import SimVault
from simulators.world import Crash, World

ALTERED = "SELECT xmin::text, rolpassword FROM pg_authid ORDER BY rolname"


class KilledVault(SimVault):
    """A vault whose caller is killed when the new value is set and CURRENT is not."""

    dies_before_promote = False

    def promote(self, current: Current | None, record: Record, *, attempt: str, now: datetime) -> str:
        if self.dies_before_promote:
            raise Crash
        return super().promote(current, record, attempt=attempt, now=now)


@dataclass
class Site:
    """A role on a server with a stale pooler in front, as endpoint or (wrongly) as target."""

    scene: Scene
    pooler: StalePooler
    is_target: bool = False

    def __post_init__(self) -> None:
        self.world = World()
        self.vault = KilledVault(self.world)
        self.vault.put_current(self.scene.first)
        front = Target("127.0.0.1", {"port": str(self.pooler.port), "sslmode": "disable"})
        if self.is_target:
            self.rotator = self.scene.rotator(target=front)
        else:
            self.rotator = self.scene.rotator(endpoints=(front,))
        self.parties = Parties(self.vault, self.rotator, SimConsumers())

    def run(self, begin: Request | None = None) -> Outcome:
        credential, clock = self.rotator.credential, self.world.clock
        return attempt(credential, self.parties, begin=begin, clock=clock, settle=SETTLE)

    def rotate(self) -> Outcome:
        return self.run(Request(at=self.world.now, by="someone", now=True))

    def verify(self) -> Outcome:
        return verify(self.rotator.credential, self.parties, clock=self.world.clock)

    @property
    def current(self) -> Secret:
        assert self.vault.current is not None
        return self.vault.current.secret


@pytest.fixture
def pooler(scene: Scene) -> Iterator[StalePooler]:
    with stale_pooler(scene) as made:
        yield made


def test_the_primary_decides_and_the_endpoint_is_unproved(scene: Scene, pooler: StalePooler) -> None:
    """A1: promoted on the primary's word; what the pooler says is told, not green, and asked again."""
    site = Site(scene, pooler)
    done = site.rotate()
    assert (done.outcome, done.new_value) == ("unproved", Answer.WORKS)
    assert f"127.0.0.1:{pooler.port}: CURRENT refused" in done.reason
    assert site.current != scene.first
    assert (scene.logs_in(site.current), scene.logs_in(scene.first)) == (True, False)
    assert not site.verify().is_done
    pooler.is_stale = False
    assert site.verify().outcome == "ok"


def test_killed_after_the_change_it_is_not_changed_again(scene: Scene, pooler: StalePooler) -> None:
    """A1: the record is kept, and what already logs in on the primary is promoted without a second ALTER."""
    site = Site(scene, pooler)
    site.vault.dies_before_promote = True
    with pytest.raises(Crash):
        site.rotate()
    site.vault.dies_before_promote = False
    newest = max(site.vault.records.values(), key=lambda one: one.order)
    changed = scene.sql(ALTERED)
    assert (scene.logs_in(newest.secret), site.current) == (True, scene.first)
    site.world.pass_time(SETTLE + timedelta(minutes=1))
    again = site.run()
    assert (again.outcome, again.new_value) == ("unproved", Answer.WORKS)
    assert site.current == newest.secret
    assert scene.sql(ALTERED) == changed


def test_a_pooler_as_target_is_recognised(scene: Scene, pooler: StalePooler) -> None:
    """A1: nothing is concluded from its answers: no lock, no record, no change, and what to write instead."""
    site, changed = Site(scene, pooler, is_target=True), scene.sql(ALTERED)
    assert site.rotator.probe(scene.first).answer is Answer.UNKNOWN
    failed = site.rotate()
    assert failed.outcome == "failed"
    assert "is a pooler" in failed.reason
    assert "put the pooler under endpoints" in failed.next_step
    assert site.vault.records == {}
    assert scene.sql(ALTERED) == changed
