"""When a person last changed what no tool can change, kept below `ROTATION_STATE_PATH`.

Rules this file keeps:
- One document per entry, the last closing; those before are in the history like rotations.
- No value is kept and nothing that depends on one: of a secret in Bitwarden its revision date alone.
- What is not there, or cannot be used, was never closed: losing the folder brings the entry back, as overdue.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bitwarden_vault.state_folder import StateFolder, StateUnavailable
from credential_rotation.errors import StateTrouble
from credential_rotation.journal.records import RecordName
from credential_rotation.model import Credential
from credential_rotation.planning.planning import Known
from credential_rotation.state.history import in_a_name

log = logging.getLogger(__name__)

FOLDER = "closings"
EARLIEST = 1970
"""The year. Nobody means one before, and calendars begin to fail there."""
_LATEST = 9000
"""What is due after it has to have a year, too."""


@dataclass(frozen=True, slots=True)
class Closing:
    """A person has said that it was changed."""

    version: int
    """How often it was closed."""
    changed: datetime
    at: datetime
    by: str
    why: str
    revised: datetime | None = None
    """Bitwarden's own date of its secret, where the entry names one and it was asked."""


@dataclass(frozen=True, slots=True)
class Closings:
    """The last closing of each entry."""

    folder: StateFolder

    def last(self, credential: Credential) -> Closing | None:
        """None where it was never closed. Raises: StateTrouble."""
        try:
            return _understood(self.folder.read(_place(credential)), credential.name)
        except StateUnavailable as why:
            raise StateTrouble(
                f"{credential.name}: when it was closed last cannot be read: {why}",
                next_step="See to the folder, then close it again.",
            ) from None

    def keep(self, credential: Credential, closing: Closing) -> None:
        """In place of the one before. Raises: StateTrouble."""
        document = {
            "schema": 1,
            "name": credential.name,
            "version": closing.version,
            "changed": closing.changed.isoformat(),
            "at": closing.at.isoformat(),
            "by": closing.by,
            "why": closing.why,
            "revised": closing.revised.isoformat() if closing.revised else None,
        }
        try:
            self.folder.write(_place(credential), document)
        except StateUnavailable as why:
            raise StateTrouble(
                f"{credential.name}: that it was closed could not be kept: {why}",
                next_step="See to the folder, then close it again.",
            ) from None

    def known(self, credential: Credential) -> Known:
        """The last closing as planners know versions; what cannot be read was never closed, and is logged."""
        try:
            last = self.last(credential)
        except StateTrouble as trouble:
            log.warning("%s", trouble.what)
            last = None
        if last is None:
            return Known((), has_current=True)
        name = RecordName("", credential.name, last.version, last.changed, "")
        return Known((name,), has_current=True)


def _place(credential: Credential) -> str:
    return f"{FOLDER}/{in_a_name(credential.name)}"


def _understood(document: Mapping[str, Any] | None, name: str) -> Closing | None:
    if document is None or document.get("name") != name:
        return None
    try:
        closing = Closing(
            version=int(document["version"]),
            changed=datetime.fromisoformat(document["changed"]),
            at=datetime.fromisoformat(document["at"]),
            by=str(document["by"]),
            why=str(document["why"]),
            revised=datetime.fromisoformat(document["revised"]) if document["revised"] else None,
        )
    except (KeyError, TypeError, ValueError):
        closing = None
    if closing is None or not all(map(_is_usable, (closing.changed, closing.at, closing.revised))):
        log.warning("%s: what was kept of its last closing cannot be used; it counts as never closed", name)
        return None
    return closing


def _is_usable(at: datetime | None) -> bool:
    """Whether anything can be reckoned from it."""
    return at is None or (at.tzinfo is not None and EARLIEST <= at.year < _LATEST)
