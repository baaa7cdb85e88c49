"""A database server in memory: roles with a password and a stamp each, and one lock, bound to a session."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from credential_rotation.errors import ApplyUnknown, Busy, RotationError, TargetRefused, TargetUnknown
from credential_rotation.model import Answer, Probe, Record, Secret, Stamp
from simulators.world import AnswerLostError, Crash, World

WHERE, REPLICA = "db.example:5432", "replica.example:5432"


class SimTarget:
    """Implements `protocols.Rotator` for one role, or for a pair of which the second has no password yet."""

    def __init__(
        self, world: World, *, principals: tuple[str, ...] = ("etl",), changes_itself: bool = False
    ) -> None:
        self.world = world
        self.principals = principals
        self.changes_itself = changes_itself
        self.passwords: dict[str, str | None] = dict.fromkeys(principals)
        self.passwords[principals[0]] = "by-hand"
        self.stamps: dict[str, Stamp | None] = dict.fromkeys(principals)
        self.connected: set[str] = set()
        """Roles as which somebody has had a session open all along."""
        self.disconnected: list[str] = []
        self.sessions_elsewhere: list[tuple[str, int | RotationError]] = []
        """What becomes of sessions at further endpoints."""
        self.unlike: tuple[str, ...] = ()
        self.endpoint_answers: tuple[Probe, ...] = ()
        self.replica: dict[str, str | None] | None = None
        """Passwords as an endpoint knows them that follows the primary; None where there is no such one."""
        self.lags = False
        """Whether the replica hears of nothing new."""
        self.holder: SimSession | None = None
        """The session that holds the lock."""
        self.in_flight = 0
        """Changes whose client is gone: as on PostgreSQL, their session keeps the lock until they land."""
        self.down = False
        self.refuses_changes = False
        self.applied: list[int] = []
        self.wrong_logins: list[Secret] = []
        self._minted = itertools.count(1)

    @property
    def password(self) -> str | None:
        """Of the first role, for tests that have but one."""
        return self.passwords[self.principals[0]]

    @password.setter
    def password(self, new: str) -> None:
        self.passwords[self.principals[0]] = new

    @property
    def stamp(self) -> Stamp | None:
        """Of the first role."""
        return self.stamps[self.principals[0]]

    @stamp.setter
    def stamp(self, new: Stamp | None) -> None:
        self.stamps[self.principals[0]] = new

    def mint(self, principal: str) -> Secret:
        return Secret(principal, f"minted-{next(self._minted)}")

    def accepts(self, secret: Secret) -> bool:
        """The truth, asked by the test."""
        return bool(secret.password) and self.passwords.get(secret.principal) == secret.password

    def probe(self, secret: Secret) -> Probe:
        def ask() -> Probe:
            if secret.principal not in self.principals:
                return Probe(Answer.UNKNOWN, WHERE, "the value is for none of the entry's principals")
            if self.down:
                return Probe(Answer.UNKNOWN, WHERE, "connection refused")
            if self.accepts(secret):
                return Probe(Answer.WORKS, WHERE)
            self.wrong_logins.append(secret)
            return Probe(Answer.REFUSED, WHERE, "wrong password")

        try:
            return self.world.do("target: probe", ask)
        except AnswerLostError:
            return Probe(Answer.UNKNOWN, WHERE, "no answer")

    def endpoints(self, secret: Secret) -> tuple[Probe, ...]:
        if self.replica is None:
            return self.endpoint_answers
        if self.knows(secret):
            return (*self.endpoint_answers, Probe(Answer.WORKS, REPLICA))
        self.wrong_logins.append(secret)
        return (*self.endpoint_answers, Probe(Answer.REFUSED, REPLICA, "wrong password"))

    def known_at_endpoints(self, secret: Secret) -> tuple[Probe, ...]:
        return self.endpoints(secret)

    def ended_at_endpoints(self, secret: Secret, *, current: Secret) -> tuple[Probe, ...]:
        found = self.endpoints(secret)
        if not found or found[-1].where != REPLICA or found[-1].answer is Answer.WORKS or self.knows(current):
            return found
        return (*found[:-1], Probe(Answer.UNKNOWN, REPLICA, "it does not take CURRENT either"))

    def knows(self, secret: Secret) -> bool:
        """The truth about the replica, asked by the test."""
        return self.replica is not None and self.replica.get(secret.principal) == secret.password

    def disconnect_at_endpoints(self, login: Secret | None) -> Iterator[tuple[str, int | RotationError]]:
        del login
        yield from self.sessions_elsewhere

    def follow(self) -> None:
        """The replica knows all that was done until now, and what comes, as long as it does not lag."""
        self.replica = dict(self.passwords)

    @contextmanager
    def lock(self, login: Secret | None, *, changing: str) -> Iterator[SimSession]:
        assert changing in self.principals
        session = SimSession(self)
        self._take(session, login)
        try:
            yield session
        finally:
            self._release(session)

    def end_session(self) -> None:
        """The server ends the session that holds the lock, and its client has not noticed yet."""
        if self.holder is not None:
            self.holder.is_lost, self.holder = True, None

    def forget_lock(self) -> None:
        """The lock is gone and its session lives, as where two would not agree which lock to take."""
        self.holder = None

    def _release(self, session: SimSession) -> None:
        if self.holder is session:
            self.holder = None

    def _take(self, session: SimSession, login: Secret | None) -> None:
        def take() -> None:
            if self.down:
                raise TargetUnknown("the target is down", next_step="Try again.")
            if self.changes_itself and (login is None or not self.accepts(login)):
                raise TargetRefused("the role cannot log in", next_step="Look at it.")
            if self.holder is not None or self.in_flight:
                raise Busy("somebody else holds the lock", next_step="Wait.")
            self.holder = session

        try:
            self.world.do("target: lock", take)
        except Crash:
            self._release(session)
            raise
        except AnswerLostError:
            self._release(session)
            raise TargetUnknown("no answer", next_step="Try again.") from None


class SimSession:
    """Implements `protocols.Session`: whoever holds it is the only one who applies."""

    notes: tuple[str, ...] = ()

    def __init__(self, target: SimTarget) -> None:
        self.target = target
        self.is_lost = False

    def stamp(self, principal: str) -> Stamp | None:
        def read() -> Stamp | None:
            self._insist_on_living()
            return self.target.stamps[principal]

        try:
            return self.target.world.do("target: stamp", read)
        except AnswerLostError:
            raise TargetUnknown("no answer", next_step="Try again.") from None

    def differences(self, principal: str, other: str) -> tuple[str, ...]:
        del principal, other
        self._insist_on_living()
        return self.target.unlike

    def apply(self, record: Record, *, found: Stamp | None, leave: Stamp) -> None:
        def commit() -> None:
            self.target.applied.append(record.epoch)

        self._change("apply", record.secret.principal, record.secret.password, found, leave, commit)

    def kill(self, record: Record, *, found: Stamp | None, leave: Stamp) -> None:
        self._change("kill", record.secret.principal, None, found, leave, lambda: None)

    def restamp(self, principal: str, *, found: Stamp, leave: Stamp) -> None:
        def change() -> None:
            if self.target.stamps[principal] != found:
                raise TargetRefused("the stamp has changed", next_step="Run again.")
            self.target.stamps[principal] = leave

        self._send("restamp", change, TargetUnknown)

    def left_over(self, principal: str) -> str:
        self._insist_on_living()
        return f"1 live session: of {principal}" if principal in self.target.connected else ""

    def disconnect(self, principal: str) -> int:
        self._insist_on_living()
        self.target.disconnected.append(principal)
        return 1

    def _insist_on_living(self) -> None:
        if self.is_lost:
            raise TargetUnknown("the session was lost", next_step="Run again.")

    def _change(  # noqa: PLR0913, PLR0917 - one change, told whole
        self,
        name: str,
        principal: str,
        password: str | None,
        found: Stamp | None,
        leave: Stamp,
        also: Callable[[], None],
    ) -> None:
        target = self.target
        if principal not in target.principals:
            raise TargetRefused("the record is for none of the entry's principals", next_step="Look at it.")

        def commit() -> None:
            if target.refuses_changes:
                raise TargetRefused("permission denied", next_step="Grant it.")
            if not target.changes_itself and target.stamps[principal] != found:
                raise TargetRefused("the stamp has changed", next_step="Run again.")
            target.passwords[principal] = password
            if target.replica is not None and not target.lags:
                target.replica[principal] = password
            also()
            if not target.changes_itself:
                target.stamps[principal] = leave

        self._send(name, commit)

    def _send(
        self, name: str, commit: Callable[[], None], unknown: type[RotationError] = ApplyUnknown
    ) -> None:
        """One change; where it is on its way without its client, nobody gets the lock until it has landed."""
        target, world = self.target, self.target.world

        def land() -> None:
            if self.is_lost and not world.is_landing:
                raise TargetRefused("the session that holds the lock was lost", next_step="Run again.")
            target.in_flight -= world.is_landing
            commit()

        try:
            world.do(f"target: {name}", land)
        except AnswerLostError:
            raise unknown("no answer to the change", next_step="Run again.") from None
        finally:
            target.in_flight += any(commit is land for _, commit in world.late)
