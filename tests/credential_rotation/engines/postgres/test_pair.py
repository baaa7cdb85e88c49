"""Two roles of a real PostgreSQL that take turns: who reads CURRENT is never refused."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

import psycopg
import pytest

from credential_rotation.attempt.attempt import attempt
from credential_rotation.attempt.turn import Parties
from credential_rotation.engines.postgres.rotator import PostgresRotator
from credential_rotation.errors import BadInput
from credential_rotation.model import Answer, Credential, Policy, Probe, Secret, Strategy, Target
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Request
from scenes.postgres.role import Scene
from simulators.scene import SimConsumers
from simulators.vault import SimVault
from simulators.world import World

GRACE = timedelta(hours=1)


@dataclass
class Pair:
    """Two roles with one admin, CURRENT in a simulated vault, and everything else real."""

    scene: Scene
    world: World = field(default_factory=World)
    owner_role: str | None = None

    def __post_init__(self) -> None:
        self.a, self.b, self.owner = self.scene.role, f"{self.scene.role}_b", f"{self.scene.role}_owner"
        server = self.scene.server
        server.create_role(self.b, "never-told")
        server.execute(f"CREATE ROLE {self.owner} NOLOGIN")
        for role in (self.a, self.b):
            server.execute(f"GRANT {self.owner} TO {role}")
            server.execute(f"ALTER ROLE {role} SET role = {self.owner}")
        server.let_rotate(self.scene.admin, self.b)
        self.vault = SimVault(self.world)
        self.vault.put_current(self.scene.first)
        self.consumers = SimConsumers()

    def credential(self, *, endpoints: tuple[Target, ...] = ()) -> Credential:
        return replace(
            self.scene.credential(endpoints=endpoints),
            strategy=Strategy.ALTERNATING,
            principals=(self.a, self.b),
            policy=Policy("quarterly", max_age=timedelta(days=90), grace=GRACE),
            options={"owner_role": self.owner_role} if self.owner_role else {},
        )

    def run(self, begin: Request | None, *, endpoints: tuple[Target, ...] = ()) -> Outcome:
        credential = self.credential(endpoints=endpoints)
        rotator = PostgresRotator(credential, admin=lambda: self.scene.admins)
        parties = Parties(self.vault, rotator, self.consumers)
        settle = timedelta(minutes=5)
        return attempt(credential, parties, begin=begin, clock=self.world.clock, settle=settle)

    def rotate(self, *, endpoints: tuple[Target, ...] = ()) -> Outcome:
        return self.run(Request(at=self.world.now, by="someone", now=True), endpoints=endpoints)

    @property
    def current(self) -> Secret:
        assert self.vault.current is not None
        return self.vault.current.secret


@pytest.fixture
def pair(scene: Scene) -> Pair:
    return Pair(scene)


def test_the_other_role_takes_over_and_the_first_lives_on_through_grace(pair: Pair) -> None:
    """After promote both log in; after grace only CURRENT does, and the journal holds its record alone."""
    first = pair.current
    assert pair.rotate().outcome == "rotated"
    assert pair.current.principal == pair.b
    assert pair.scene.logs_in(pair.current)
    assert pair.scene.logs_in(first)
    assert pair.run(None).outcome == "unchanged"
    pair.world.pass_time(GRACE + timedelta(minutes=1))
    retired = pair.run(None)
    assert (retired.outcome, retired.old_value) == ("retired", Answer.REFUSED)
    assert not pair.scene.logs_in(first)
    assert len(pair.vault.records) == 1


def test_turns_go_back_and_forth(pair: Pair) -> None:
    """The third version is the first role's again."""
    for principal in (pair.b, pair.a, pair.b):
        assert pair.rotate().outcome == "rotated"
        assert pair.current.principal == principal
        pair.world.pass_time(GRACE + timedelta(minutes=1))
        assert pair.run(None).outcome == "retired"


def test_the_next_version_waits_while_both_are_needed(pair: Pair) -> None:
    """C7: within grace a rotation is refused with the reason and the time, and touches nothing."""
    pair.rotate()
    both = pair.current, pair.scene.first
    waiting = pair.rotate()
    assert waiting.outcome == "waiting"
    assert "grace" in waiting.reason
    assert waiting.until is not None
    assert all(map(pair.scene.logs_in, both))


def test_an_endpoint_that_does_not_know_the_other_role_keeps_current(pair: Pair) -> None:
    """A6: refused before promote; the message names endpoint, role and the two ways out; a rerun finishes."""
    elsewhere = Target("127.0.0.1", {"port": "1"})
    failed = pair.rotate(endpoints=(elsewhere,))
    assert failed.outcome == "failed"
    assert pair.current == pair.scene.first
    assert pair.scene.logs_in(pair.current)
    for word in ("127.0.0.1:1", pair.b):
        assert word in failed.reason
    assert "in_place" in failed.next_step
    assert pair.rotate().outcome == "recovered"
    assert pair.current.principal == pair.b


UNLIKE = {
    "a membership": ("GRANT pg_monitor TO {a}", "membership in pg_monitor"),
    "an attribute": ("ALTER ROLE {a} CREATEDB", "CREATEDB"),
    "a connection limit": ("ALTER ROLE {b} CONNECTION LIMIT 3", "CONNECTION LIMIT is 3"),
    "an earlier end": ("ALTER ROLE {b} VALID UNTIL '2090-01-01'", "VALID UNTIL"),
    "a setting": ("ALTER ROLE {a} SET work_mem = '7MB'", "work_mem=7MB"),
    "a grant": ("CREATE TABLE {a}_t (); GRANT SELECT ON {a}_t TO {a}", "SELECT on public.{a}_t"),
    "a table of its own": ("CREATE TABLE {a}_t (); ALTER TABLE {a}_t OWNER TO {a}", "ownership of pg_class"),
    "no right to log in": ("ALTER ROLE {b} NOLOGIN", "LOGIN"),
}


@pytest.mark.parametrize("what", UNLIKE)
def test_a_twin_that_lacks_something_does_not_take_over(pair: Pair, what: str) -> None:
    """What the role in use may do and its twin may not is named, and nothing is changed."""
    statements, told = UNLIKE[what]
    for statement in statements.format(a=pair.a, b=pair.b).split(";"):
        pair.scene.server.execute(statement)
    before = set(pair.vault.records)
    failed = pair.rotate()
    assert failed.outcome == "failed"
    assert told.format(a=pair.a) in failed.reason
    assert pair.current == pair.scene.first
    assert len(set(pair.vault.records) - before) == 1  # the one that adopted CURRENT


APART = {
    "no member": ("REVOKE {owner} FROM {b}", 'GRANT "{owner}" TO "{b}"'),
    "itself": (
        "ALTER ROLE {b} RESET role; ALTER ROLE {a} RESET role",
        'ALTER ROLE "{b}" SET role = "{owner}"',
    ),
    "with a table of its own": (
        "CREATE TABLE {b}_t (); ALTER TABLE {b}_t OWNER TO {b}",
        'REASSIGN OWNED BY "{b}" TO "{owner}"',
    ),
}


@pytest.mark.parametrize("what", APART)
def test_a_pair_with_an_owner_role_is_one_with_it(pair: Pair, what: str) -> None:
    """What one makes the other could not touch; the statement that mends it is told, and then it rotates."""
    names = {"a": pair.a, "b": pair.b, "owner": pair.owner}
    statements, remedy = (text.format(**names) for text in APART[what])
    for statement in statements.split(";"):
        pair.scene.server.execute(statement)
    pair.owner_role = pair.owner
    failed = pair.rotate()
    assert failed.outcome == "failed"
    assert remedy in failed.reason
    assert pair.current == pair.scene.first
    for statement in (remedy, f"ALTER ROLE {pair.a} SET role = {pair.owner}"):
        pair.scene.server.execute(statement)
    pair.world.pass_time(timedelta(hours=1))
    assert pair.rotate().outcome == "rotated"


def test_who_still_works_with_the_old_role_is_kept_in_the_evidence(pair: Pair) -> None:
    """A3: application and client of the sessions that will be refused when the old one is ended."""
    with pair.scene.server.connect(pair.a, pair.scene.first.password, application_name="api"):
        rotated = pair.rotate()
    assert rotated.outcome == "rotated"
    [told] = [step.detail for step in rotated.steps if step.name == "still connected"]
    assert told.startswith(f"as {pair.a}: 1 live session: 1 of api")


def test_a_broken_consumer_keeps_the_old_value_alive(pair: Pair) -> None:
    """Retire is last: while somebody is refused with the new value, the old one stays."""
    pair.rotate()
    pair.world.pass_time(GRACE + timedelta(minutes=1))
    pair.consumers.answers = (Probe(Answer.REFUSED, "dag nightly_load", "still reads the old one"),)
    assert pair.run(None).outcome == "unproved"
    assert pair.scene.logs_in(pair.scene.first)
    pair.consumers.answers = ()
    assert pair.run(None).outcome == "retired"


def test_a_pair_without_an_admin_is_refused(pair: Pair) -> None:
    """Neither role can change the other."""
    with pytest.raises(BadInput, match="needs an admin"):
        PostgresRotator(replace(pair.credential(), admin=None), admin=None)


def test_revoking_ends_both_roles_sessions_and_says_where_it_may_not(pair: Pair) -> None:
    """Compromise mode: a session under the old password goes on otherwise; without the right it is told."""
    first = pair.current
    request = Request(pair.world.now, "someone", now=True, force=True, revoke=True, reason="seen in a chat")
    with pair.scene.connect(first) as open_one:
        told = pair.run(request)
        assert told.outcome == "unproved"
        assert "pg_signal_backend" in told.reason
        open_one.execute("SELECT 1")
    assert not pair.scene.logs_in(first)
    pair.scene.server.execute(f"GRANT pg_signal_backend TO {pair.scene.admin}")
    second = pair.current
    again = replace(request, at=pair.world.now)
    with pair.scene.connect(second) as open_one:
        assert pair.run(again).outcome == "revoked"
        with pytest.raises(psycopg.OperationalError):
            open_one.execute("SELECT 1")
    assert not pair.scene.logs_in(second)
