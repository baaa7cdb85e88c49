"""G1: a managed service forbids password changes to all but the members of one role."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from credential_rotation.attempt.attempt import attempt
from credential_rotation.attempt.turn import Parties
from credential_rotation.errors import TargetRefused
from credential_rotation.model import Target
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Request
from scenes.postgres.denial import Denier, denier
from scenes.postgres.role import Scene
from simulators.scene import SETTLE, SimConsumers
from simulators.vault import SimVault
from simulators.world import World


@dataclass
class Restricted:
    """A role that changes itself, behind a service that may not let it."""

    scene: Scene
    service: Denier

    def __post_init__(self) -> None:
        self.world = World()
        self.vault = SimVault(self.world)
        self.vault.put_current(self.scene.first)
        target = Target("127.0.0.1", {"port": str(self.service.port), "sslmode": "disable"})
        self.rotator = self.scene.rotator(itself=True, target=target)

    def rotate(self) -> Outcome:
        parties = Parties(self.vault, self.rotator, SimConsumers())
        begin = Request(at=self.world.now, by="someone", now=True)
        return attempt(self.rotator.credential, parties, begin=begin, clock=self.world.clock, settle=SETTLE)

    @property
    def password(self) -> str:
        assert self.vault.current is not None
        return self.vault.current.secret.password


@pytest.fixture
def restricted(scene: Scene) -> Iterator[Restricted]:
    scene.sql(f"ALTER ROLE {scene.role} SET rds.restrict_password_commands = 'on'")
    with denier(scene.server.direct_port) as service:
        yield Restricted(scene, service)


def test_it_is_found_before_anything_is_written(restricted: Restricted) -> None:
    """G1: `check` and the attempt say which membership is needed; no record was made for nothing."""
    wanted = f'GRANT rds_password TO "{restricted.scene.role}"'
    with pytest.raises(TargetRefused) as refusal:
        restricted.rotator.check_privileges(restricted.scene.first)
    assert wanted in refusal.value.next_step
    failed = restricted.rotate()
    assert (failed.outcome, wanted in failed.next_step) == ("failed", True)
    assert "rds.restrict_password_commands is on" in failed.next_step
    assert (restricted.password, restricted.vault.records) == (restricted.scene.first.password, {})
    assert restricted.scene.logs_in(restricted.scene.first)


def test_refused_after_the_rehearsal_the_same_version_is_applied_next_time(restricted: Restricted) -> None:
    """G1: 42501 to the change itself ends `failed`; CURRENT is untouched, the record stays and is used."""
    restricted.service.allow = 1
    failed = restricted.rotate()
    assert (failed.outcome, "rds_password" in failed.next_step) == ("failed", True)
    assert restricted.password == restricted.scene.first.password
    assert restricted.scene.logs_in(restricted.scene.first)
    kept = max(restricted.vault.records.values(), key=lambda record: record.order)
    assert kept.secret != restricted.scene.first
    restricted.service.allow = 10
    restricted.world.pass_time(SETTLE + timedelta(minutes=1))
    assert restricted.rotate().outcome == "recovered"
    assert restricted.password == kept.secret.password
    assert restricted.scene.logs_in(kept.secret)
    assert not restricted.scene.logs_in(restricted.scene.first)


def test_without_that_setting_the_remedy_is_an_admin(restricted: Restricted) -> None:
    """G1: 42501 for another reason is not blamed on the service."""
    restricted.scene.sql(f"ALTER ROLE {restricted.scene.role} RESET rds.restrict_password_commands")
    failed = restricted.rotate()
    assert failed.outcome == "failed"
    assert "rds" not in failed.next_step
    assert "give the entry an admin" in failed.next_step
