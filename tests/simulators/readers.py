"""Readers without hosts, agents and folder."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from credential_rotation.model import Current
from credential_rotation.readership import Reader, Readership
from simulators.world import World

UNHEARD_AFTER = timedelta(days=1)


@dataclass
class SimReaders:
    """Implements `protocols.Readers`; tests say who reads."""

    world: World
    readers: dict[str, list[Reader]] = field(default_factory=dict)
    """By the secret's id."""
    unseen: dict[str, list[Reader]] = field(default_factory=dict)
    unknown: str = ""

    def __post_init__(self) -> None:
        self.heard = self.world.now

    def of(self, current: Current) -> Readership:
        """Everybody, or those who were heard of lately."""
        found = Readership(unseen=tuple(self.unseen.get(current.id, ())), unknown=self.unknown)
        readers = tuple(self.readers.get(current.id, ()))
        if self.world.now - self.heard > UNHEARD_AFTER:
            return replace(found, forgotten=readers)
        return replace(found, living=readers)

    def begin(self, current_id: str, version: int, who: str) -> Reader:
        """Somebody reads and lives."""
        reader = Reader(version, who)
        self.readers.setdefault(current_id, []).append(reader)
        self.heard = self.world.now
        return reader

    def end(self, reader: Reader) -> None:
        """Its process has ended."""
        for readers in self.readers.values():
            if reader in readers:
                readers.remove(reader)
