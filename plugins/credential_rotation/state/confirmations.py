"""What people have said of consumers that take values by hand, kept below `ROTATION_STATE_PATH`.

Rules this file keeps:
- A word is about one consumer and one version of one entry, told by its number and its attempt: a journal
  that begins anew does not find the words of the one before.
- It is written once, and the first one counts.
- What is not there, cannot be read or does not answer was not said: without the folder, retire waits again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bitwarden_vault.state_folder import StateFolder, StateUnavailable
from credential_rotation.background import answer_within
from credential_rotation.by_hand import BY_HAND
from credential_rotation.errors import StateTrouble
from credential_rotation.model import UNMANAGED_EPOCH, Consumer, Credential
from credential_rotation.planning.planning import Known, is_begun_only
from credential_rotation.state.history import in_a_name

FOLDER = "confirmations"
PREFIX = f"{BY_HAND}: "
"""Before the name of who takes values by hand, in what planners tell of an entry's consumers."""
ANSWERS_WITHIN = 20.0
"""Seconds for reading what was said of one version."""

Mark = tuple[int, str]
"""A version: its number, and the attempt that made it."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A person has said that this consumer has this version."""

    consumer: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """All that was said of one version, by consumer, and why some of it may be missing."""

    words: Mapping[str, Confirmation]
    unknown: str = ""

    def awaited(self, credential: Credential) -> tuple[Consumer, ...]:
        """Those of the entry of whom nobody has said it."""
        return tuple(one for one in by_hand(credential) if one.name not in self.words)


@dataclass(frozen=True, slots=True)
class Confirmations:
    """Everybody's words."""

    folder: StateFolder
    within: float = ANSWERS_WITHIN

    def of(self, credential: Credential, version: Mark) -> Said:
        """What was said of this version. Never raises, never hangs."""
        said = answer_within(self.within, lambda: self._read(credential, version))
        return said or Said({}, f"{self.folder.path!r} has not answered for {self.within:g} s")

    def keep(self, credential: Credential, version: Mark, word: Confirmation) -> None:
        """Write it down. Raises: StateTrouble."""
        document = {
            "schema": 1,
            "name": credential.name,
            "version": version[0],
            "attempt": version[1],
            "consumer": word.consumer,
            "by": word.by,
            "at": word.at.isoformat(),
        }
        consumer = hashlib.sha256(word.consumer.encode("utf-8", "replace")).hexdigest()[:12]
        try:
            self.folder.write(f"{_place(credential, version)}-{consumer}", document)
        except StateUnavailable as why:
            raise StateTrouble(
                f"{credential.name}: what was confirmed could not be kept: {why}",
                next_step="Nothing is ended meanwhile. See to the folder, then confirm it again.",
            ) from None

    def _read(self, credential: Credential, version: Mark) -> Said:
        place = _place(credential, version)
        try:
            names = self.folder.names(place.rpartition("/")[0])
            documents = [self.folder.read(name) for name in names if name.startswith(f"{place}-")]
        except StateUnavailable as why:
            return Said({}, str(why))
        except Exception as wrong:  # noqa: BLE001 - each store has its own errors
            return Said({}, f"{self.folder.path!r} cannot be read: {type(wrong).__name__}")
        return Said({word.consumer: word for word in _understood(documents, credential.name, version)})


def folder_of(name: str) -> str:
    """Where the words about one entry are."""
    return f"{FOLDER}/{in_a_name(name)}"


def about(document: Mapping[str, Any], name: str) -> tuple[Mark, str] | None:
    """Which version of an entry a kept word is about, and which consumer; None where it cannot be told."""
    version, attempt, consumer = (document.get(one) for one in ("version", "attempt", "consumer"))
    if document.get("name") != name or not isinstance(version, int):
        return None
    return (version, str(attempt)), str(consumer)


def by_hand(credential: Credential) -> tuple[Consumer, ...]:
    """The consumers of an entry that take values by hand."""
    return tuple(one for one in credential.consumers if one.kind == BY_HAND)


def with_people(credential: Credential, known: Known, confirmations: Confirmations) -> Known:
    """With who takes the newest version by hand; a value from before us was there for them too.

    A version that was begun only is nobody's yet.
    """
    newest = known.newest
    if newest is None or newest.epoch == UNMANAGED_EPOCH or not by_hand(credential):
        return known
    if is_begun_only(credential, known):
        return known
    said = confirmations.of(credential, (newest.epoch, newest.attempt))
    return replace(known, awaited=said.awaited(credential))


def _place(credential: Credential, version: Mark) -> str:
    return f"{folder_of(credential.name)}/{version[0]:06d}-{in_a_name(version[1])}"


def _understood(
    documents: Iterable[Mapping[str, Any] | None], name: str, version: Mark
) -> Iterable[Confirmation]:
    for one in documents:
        if one is None or (one.get("name"), one.get("version"), one.get("attempt")) != (name, *version):
            continue
        try:
            at = datetime.fromisoformat(str(one["at"]))
            yield Confirmation(str(one["consumer"]), str(one["by"]), at)
        except (KeyError, ValueError):
            continue
