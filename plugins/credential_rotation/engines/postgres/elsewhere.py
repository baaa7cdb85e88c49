"""Open sessions at an entry's further endpoints: seen before compromise mode, and ended by it.

Rules this file keeps:
- A replica has sessions of its own. What leads to the primary (a second name, a pooler) has none: they were
  ended there.
- A pooler that shares its sessions keeps its clients connected, whatever ends behind it: told, never taken
  for done. In session mode each client has a session to itself and ends with it.
- Whoever is not let in has ended nothing: that is told too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import sql

from credential_rotation.engines.postgres import complaints
from credential_rotation.engines.postgres.connection import Connection, Lost, NoLogin, Refused, connect
from credential_rotation.engines.postgres.in_use import end_sessions, would_end
from credential_rotation.engines.postgres.login import WHO_AM_I, not_in
from credential_rotation.engines.postgres.target import Place
from credential_rotation.errors import RotationError
from credential_rotation.model import Credential, Secret

LOOKS = 3
"""How often two sessions say which process answers them: shared ones are soon answered by the same."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """One further endpoint, as its admin sees it, or the role itself."""

    credential: Credential
    place: Place
    who: Secret
    itself: bool

    def end(self) -> int | None:
        """End what is open as the entry's roles; how many, None where the primary has them all.

        Raises: TargetUnknown, TargetRefused.
        """
        with self._inside() as connection:
            is_replica, is_shared = self._stand(connection)
            ended = sum(self._end(connection, one) for one in self._roles) if is_replica else None
        if is_shared:
            raise complaints.pooler_keeps_clients(self.credential, self.place)
        return ended

    def seen(self) -> Iterator[str]:
        """What `end` would end, and what cannot be seen, a sentence each."""
        try:
            with self._inside() as connection:
                is_replica, is_shared = self._stand(connection)
                for one in self._roles if is_replica else ():
                    live = would_end(connection, one)
                    if live:
                        yield f"at {self.place} {live}"
                if is_shared:
                    yield f"at {self.place} a pooler shares its sessions: who is connected to it goes on"
        except RotationError as error:
            yield f"sessions at {self.place} cannot be seen: {error.what}"

    @property
    def _roles(self) -> tuple[str, ...]:
        return self.credential.principals

    @contextmanager
    def _inside(self) -> Iterator[Connection]:
        try:
            with connect(self.place, self.who) as connection:
                yield connection
        except NoLogin as error:
            raise complaints.not_ended(self.credential, self.place, not_in(self.place, error).why) from None
        except Lost:
            raise complaints.not_ended(self.credential, self.place, "the session was lost") from None
        except Refused as error:
            why = f"a query was refused (SQLSTATE {error.sqlstate})"
            raise complaints.not_ended(self.credential, self.place, why) from None

    def _stand(self, connection: Connection) -> tuple[bool, bool]:
        """Whether a replica answers, and whether a pooler that shares its sessions is in between."""
        [(_, in_recovery, backend_pid)] = self._ask(connection, WHO_AM_I)
        is_pooler = backend_pid != str(connection.backend_pid)
        return in_recovery == "true", is_pooler and self._shares(connection)

    def _shares(self, first: Connection) -> bool:
        mine, others = set(), set()
        with connect(self.place, self.who) as second:
            for _ in range(LOOKS):
                mine.add(self._ask(first, WHO_AM_I)[0][2])
                others.add(self._ask(second, WHO_AM_I)[0][2])
        return len(mine) > 1 or len(others) > 1 or mine == others

    def _end(self, connection: Connection, role: str) -> int:
        """In a transaction, so that what is set for it stays with nobody else."""
        self._ask(connection, sql.SQL("BEGIN"))
        if self.itself:
            self._ask(connection, sql.SQL("SET LOCAL ROLE NONE"))
        try:
            ended = end_sessions(connection, role)
        except Refused as error:
            raise complaints.may_not_disconnect(
                self.credential, self.who.principal, role, error.sqlstate, at=self.place
            ) from None
        self._ask(connection, sql.SQL("COMMIT"))
        return ended

    def _ask(self, connection: Connection, statement: sql.Composable) -> list[tuple[str | None, ...]]:
        return connection.ask(statement, seconds=self.place.connect_timeout)
