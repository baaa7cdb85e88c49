"""A database server in memory: one role, one password, one lock, one stamp."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

from credential_rotation.errors import ApplyUnknown, Busy, TargetRefused, TargetUnknown
from credential_rotation.model import Answer, Probe, Record, Secret, Stamp
from simulators.world import AnswerLostError, Crash, World

WHERE = "db.example:5432"


class SimTarget:
    """Implements `protocols.Rotator` for strategy in_place."""

    def __init__(self, world: World, *, principal: str = "etl", changes_itself: bool = False) -> None:
        self.world = world
        self.principal = principal
        self.changes_itself = changes_itself
        self.password = "by-hand"
        self.stamp: Stamp | None = None
        self.locked = False
        self.in_flight = 0
        """Changes whose client is gone: as on PostgreSQL, their session keeps the lock until they land."""
        self.down = False
        self.refuses_changes = False
        self.applied: list[int] = []
        self.wrong_logins: list[Secret] = []
        self._minted = itertools.count(1)

    def mint(self) -> Secret:
        return Secret(self.principal, f"minted-{next(self._minted)}")

    def accepts(self, secret: Secret) -> bool:
        """The truth, asked by the test."""
        return secret == Secret(self.principal, self.password)

    def probe(self, secret: Secret) -> Probe:
        def ask() -> Probe:
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
        del secret
        return ()

    @contextmanager
    def lock(self, login: Secret | None) -> Iterator[SimSession]:
        self._take(login)
        try:
            yield SimSession(self)
        finally:
            self.locked = False

    def _take(self, login: Secret | None) -> None:
        def take() -> None:
            if self.down:
                raise TargetUnknown("the target is down", next_step="Try again.")
            if self.changes_itself and (login is None or not self.accepts(login)):
                raise TargetRefused("the role cannot log in", next_step="Look at it.")
            if self.locked or self.in_flight:
                raise Busy("somebody else holds the lock", next_step="Wait.")
            self.locked = True

        try:
            self.world.do("target: lock", take)
        except Crash:
            self.locked = False
            raise
        except AnswerLostError:
            self.locked = False
            raise TargetUnknown("no answer", next_step="Try again.") from None


class SimSession:
    """Implements `protocols.Session`: whoever holds it is the only one who applies."""

    def __init__(self, target: SimTarget) -> None:
        self.target = target

    def stamp(self) -> Stamp | None:
        try:
            return self.target.world.do("target: stamp", lambda: self.target.stamp)
        except AnswerLostError:
            raise TargetUnknown("no answer", next_step="Try again.") from None

    def apply(self, record: Record, *, found: Stamp | None, leave: Stamp) -> None:
        target = self.target

        def commit() -> None:
            if target.refuses_changes:
                raise TargetRefused("permission denied", next_step="Grant it.")
            if target.stamp != found:
                raise TargetRefused("the stamp has changed", next_step="Run again.")
            target.password = record.secret.password
            target.applied.append(record.epoch)
            if not target.changes_itself:
                target.stamp = leave

        def land() -> None:
            target.in_flight -= 1
            commit()

        target.in_flight += 1
        try:
            target.world.do("target: apply", land)
        except (Crash, TargetRefused):
            target.in_flight = 0
            raise
        except AnswerLostError:
            raise ApplyUnknown("no answer to the change", next_step="Run again.") from None
