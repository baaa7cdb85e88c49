"""A credential, its vault, its target and its consumers, ready for attempts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from credential_rotation.attempt.attempt import attempt
from credential_rotation.attempt.by_person import resolve, rollback, take_under_management
from credential_rotation.attempt.inspection import verify
from credential_rotation.attempt.turn import Parties
from credential_rotation.model import (
    Answer,
    Consumer,
    Credential,
    Current,
    EntryAdmin,
    Policy,
    Probe,
    Record,
    Secret,
    Strategy,
    Target,
    VaultPlace,
)
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Request
from simulators.keys import SimKeyTarget
from simulators.readers import SimReaders
from simulators.target import SimTarget
from simulators.vault import SimVault
from simulators.world import START, Crash, Fault, World

SETTLE = timedelta(minutes=15)
MOST_CALLS = 40
"""More than a rotation or a revocation makes."""

QUARTERLY = Policy("quarterly", max_age=timedelta(days=90))

HOST = "db.example"
ETL = Credential(
    name="warehouse-etl",
    engine="simulated",
    strategy=Strategy.IN_PLACE,
    principals=("etl",),
    target=Target(HOST, {}),
    vault=VaultPlace(project="data-platform", format="password", key="warehouse_etl"),
    policy=QUARTERLY,
    owner="data-platform",
    source="warehouse.yaml:1",
    admin=EntryAdmin("warehouse-admin"),
)

GRACE = timedelta(minutes=10)

PAIR = replace(
    ETL,
    strategy=Strategy.ALTERNATING,
    principals=("etl", "etl_b"),
    policy=replace(QUARTERLY, grace=GRACE),
)

SOAK = timedelta(minutes=5)

KEYS = replace(
    ETL,
    strategy=Strategy.OVERLAPPING,
    policy=replace(QUARTERLY, grace=GRACE, soak=SOAK),
)

BY_HAND = Secret("etl", "by-hand")


@dataclass
class SimConsumers:
    """Implements `protocols.Consumers` with answers that the test sets."""

    answers: tuple[Probe, ...] = ()
    by_hand: tuple[Consumer, ...] = ()
    """Who takes values by hand."""
    confirmed: set[tuple[str, int, str]] = field(default_factory=set)
    """Consumer, version and its attempt, of which a person has given their word."""

    def check(self, current: Current, own: Record | None) -> tuple[Probe, ...]:  # noqa: ARG002 - the test has decided
        waits = self.awaited(own) if own else self.by_hand
        people = (
            Probe(
                Answer.UNKNOWN if one in waits else Answer.WORKS,
                f"manual {one.name}",
                awaits_person=one in waits,
            )
            for one in self.by_hand
        )
        return (*self.answers, *people)

    def awaited(self, own: Record) -> tuple[Consumer, ...]:
        return tuple(one for one in self.by_hand if (one.name, own.epoch, own.attempt) not in self.confirmed)


@dataclass
class Scene:
    """Everything an attempt needs; `stored` says whether a person has stored the password yet."""

    changes_itself: bool = False
    stored: bool = True
    pair: bool = False
    keys: bool = False
    world: World = field(default_factory=World)
    credential: Credential = ETL
    consumers: SimConsumers = field(default_factory=SimConsumers)

    def __post_init__(self) -> None:
        self.vault = SimVault(self.world)
        if self.pair:
            self.credential = PAIR
        if self.keys:
            self.credential = KEYS
        if self.changes_itself:
            self.credential = replace(self.credential, admin=None)
        principals = self.credential.principals
        self.target = SimTarget(self.world, principals=principals, changes_itself=self.changes_itself)
        self.account = SimKeyTarget(self.world)
        self.readers = SimReaders(self.world)
        if self.stored:
            self.vault.put_current(self.account.first if self.keys else BY_HAND)

    @property
    def parties(self) -> Parties:
        rotator = self.account if self.keys else self.target
        return Parties(self.vault, rotator, self.consumers, self.readers)

    def run(self, begin: Request | None = None) -> Outcome:
        return attempt(self.credential, self.parties, begin=begin, clock=self.world.clock, settle=SETTLE)

    def verify(self) -> Outcome:
        """The daily proof."""
        return verify(self.credential, self.parties, clock=self.world.clock)

    def revoke(self) -> Outcome:
        """A value may be in wrong hands."""
        now = self.world.now
        return self.run(Request(now, "someone", now=True, force=True, revoke=True, reason="seen in a chat"))

    def is_killed_after(self, call: int, act: Callable[[], object]) -> bool:
        """Whether this was killed right after its call of this number; False where it makes fewer."""
        self.world.fault = Fault(call, "crash after")
        try:
            act()
        except Crash:
            return True
        finally:
            self.world.fault = None
        return False

    def roll_back(self) -> Outcome:
        """A person goes back."""
        rotator = self.account if self.keys else self.target
        parties = Parties(self.vault, rotator, self.consumers, self.readers)
        return rollback(
            self.credential, parties, reason="reports broke", clock=self.world.clock, settle=SETTLE
        )

    def adopt(self, *, take_over: bool = False) -> Outcome:
        """A person takes it under management."""
        rotator = self.account if self.keys else self.target
        parties = Parties(self.vault, rotator, self.consumers, self.readers)
        return take_under_management(
            self.credential, parties, take_over=take_over, clock=self.world.clock, settle=SETTLE
        )

    def resolve(self, key: str) -> Outcome:
        """A person decides about a key."""
        parties = Parties(self.vault, self.account, self.consumers, self.readers)
        return resolve(self.credential, parties, key=key, clock=self.world.clock, settle=SETTLE)

    def tick(self) -> Outcome:
        """The hourly run of the rotating DAG."""
        return self.run(Request(at=self.world.now, by="schedule"))

    def rotate_now(self, at: datetime | None = None, *, force: bool = False) -> Outcome:
        """Somebody presses the button."""
        reason = "the password was seen in a chat" if force else None
        return self.run(Request(at=at or self.world.now, by="someone", now=True, force=force, reason=reason))

    @property
    def current(self) -> Secret | None:
        return self.vault.current.secret if self.vault.current else None

    @property
    def epochs(self) -> list[int]:
        """The versions that the journal holds, newest first."""
        return sorted((record.epoch for record in self.vault.records.values()), reverse=True)

    @property
    def readers_can_log_in(self) -> bool:
        """What a pair promises besides: whoever reads CURRENT is never refused."""
        return self.current is not None and self.accepts(self.current)

    def accepts(self, secret: Secret) -> bool:
        """The truth, whichever target it is."""
        return self.account.accepts(secret) if self.keys else self.target.accepts(secret)

    @property
    def somebody_can_log_in(self) -> bool:
        """The first promise: some value stored in the vault logs in."""
        return any(self.accepts(secret) for secret in self.vault.values())


def rotated_scene(*, changes_itself: bool = False, pair: bool = False, keys: bool = False) -> Scene:
    """A credential that has been rotated once and is at rest."""
    scene = Scene(changes_itself=changes_itself, pair=pair, keys=keys)
    assert scene.tick().outcome == "rotated"
    if keys:
        scene.world.pass_time(GRACE + timedelta(minutes=1))
        scene.run()
        scene.world.pass_time(SOAK + timedelta(minutes=1))
        assert scene.run().outcome == "retired"
    if pair:
        scene.world.pass_time(GRACE + timedelta(minutes=1))
        assert scene.run().outcome == "retired"
    scene.world.pass_time(timedelta(days=1))
    scene.world.calls.clear()
    return scene


__all__ = [
    "BY_HAND",
    "ETL",
    "GRACE",
    "KEYS",
    "MOST_CALLS",
    "PAIR",
    "QUARTERLY",
    "SETTLE",
    "SOAK",
    "START",
    "Scene",
    "SimConsumers",
    "rotated_scene",
]
