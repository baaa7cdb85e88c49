"""The vault in memory: CURRENT, the journal, and what became of each."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from credential_rotation.errors import VaultTrouble, VaultUnknown
from credential_rotation.model import Current, Ending, Intent, Record, Secret, Stored
from simulators.world import AnswerLostError, World

T = TypeVar("T")


class SimVault:
    """Implements `protocols.Vault` with the semantics of the Bitwarden journal."""

    journal = "journal-1"

    def __init__(self, world: World) -> None:
        self.world = world
        self.current: Current | None = None
        self.records: dict[str, Record] = {}
        self.intents: dict[str, Intent] = {}
        self.endings: dict[str, Ending] = {}
        self.duplicates: dict[str, Current] = {}
        """CURRENT once more, as a create whose answer was lost leaves it."""
        self.down = False
        self._ids = itertools.count(1)

    def put_current(self, secret: Secret) -> None:
        """As a person would in the web vault."""
        kept = self.current
        self.current = Current(
            id=kept.id if kept else f"secret-{next(self._ids)}",
            key="warehouse_etl",
            secret=secret,
            revised=self.world.now,
            epoch=kept.epoch if kept else None,
            attempt=kept.attempt if kept else None,
            value=secret.password,
            note=kept.note if kept else "",
        )

    def values(self) -> set[Secret]:
        """Every value that somebody could still read in the vault."""
        stored = {record.secret for record in self.records.values()}
        return stored | ({self.current.secret} if self.current else set())

    def look(self) -> Stored:
        """As the journal does: what there is, with the records, which never change; then CURRENT."""
        listed = self._read("look", self._stored)
        if listed.current is None:
            return listed
        return replace(listed, current=self._read("look at CURRENT", lambda: self.current))

    def reserve(self, current: Current | None) -> None:
        del current
        self._read("reserve", lambda: None)

    def record(
        self, *, epoch: int, attempt: str, written: datetime, secret: Secret, revokes: bool = False
    ) -> Record:
        made = Record(
            id=f"secret-{next(self._ids)}",
            epoch=epoch,
            attempt=attempt,
            written=written,
            revised=self.world.now,
            secret=secret,
            revokes=revokes,
        )
        self._write(
            "create record", lambda: self.records.update({made.id: made}), lambda: made.id in self.records
        )
        return made

    def intend(self, *, epoch: int, attempt: str, written: datetime, there: tuple[str, ...]) -> Intent:
        made = Intent(f"secret-{next(self._ids)}", epoch, attempt, written, self.world.now, there)
        self._write(
            "create intent", lambda: self.intents.update({made.id: made}), lambda: made.id in self.intents
        )
        return made

    def begin_ending(self, record: Record, *, now: datetime) -> Ending:
        made = Ending(f"secret-{next(self._ids)}", record.epoch, record.attempt, now)
        self._write(
            "create ending", lambda: self.endings.update({made.id: made}), lambda: made.id in self.endings
        )
        return made

    def promote(self, current: Current | None, record: Record, *, attempt: str, now: datetime) -> str:
        del now
        current_id = current.id if current else f"secret-{next(self._ids)}"
        new = Current(
            id=current_id,
            key="warehouse_etl",
            secret=record.secret,
            revised=self.world.now,
            epoch=record.epoch,
            attempt=attempt,
            value=record.secret.password,
            note=current.note if current else "",
        )

        def commit() -> None:
            if current and (self.current is None or self.current.id != current.id):
                raise VaultTrouble("no such secret", next_step="Look in Bitwarden.")
            self.current = replace(new, revised=self.world.now)

        def landed() -> bool:
            return self.current is not None and self.current.secret == record.secret

        self._write("write CURRENT", commit, landed)
        return current_id

    def read_back(self, current_id: str) -> Current:
        def read() -> Current:
            if self.current is None or self.current.id != current_id:
                raise VaultTrouble("no such secret", next_step="Look in Bitwarden.")
            return self.current

        return self._read("read back", read)

    def delete(self, secret_ids: tuple[str, ...]) -> None:
        def commit() -> None:
            for kept in (self.records, self.intents, self.endings, self.duplicates):
                for one in secret_ids:
                    kept.pop(one, None)

        def landed() -> bool:
            return not set(secret_ids) & {*self.records, *self.intents, *self.endings, *self.duplicates}

        self._write("delete", commit, landed)

    def _stored(self) -> Stored:
        intents = sorted(self.intents.values(), key=lambda one: one.written, reverse=True)
        endings = tuple(self.endings.values())
        duplicates = tuple(self.duplicates.values())
        return Stored(self.current, self._newest_first(), duplicates, tuple(intents), endings)

    def _newest_first(self) -> tuple[Record, ...]:
        return tuple(sorted(self.records.values(), key=lambda record: record.order, reverse=True))

    def _read(self, name: str, read: Callable[[], T]) -> T:
        if self.down:
            raise VaultTrouble("Bitwarden cannot be reached", next_step="Try again.")
        try:
            return self.world.do(f"vault: {name}", read)
        except AnswerLostError:
            raise VaultTrouble("Bitwarden did not answer", next_step="Try again.") from None

    def _write(self, name: str, commit: Callable[[], None], landed: Callable[[], bool]) -> None:
        if self.down:
            raise VaultTrouble("Bitwarden cannot be reached", next_step="Try again.")
        try:
            self.world.do(f"vault: {name}", commit)
        except AnswerLostError:
            if not landed():
                raise VaultUnknown("Bitwarden did not answer a write", next_step="Run again.") from None
