"""Where open incidents are kept: documents in the state folder, which may be lost at any time.

Rules this file keeps:
- Nothing here raises: without the folder every failure is told as a new one, and nothing else changes.
- One listing tells a quiet run that there is nothing to close.
- Reports run at the same time: what is shared is read again right before it is written. On one disk nobody
  comes between; an object store leaves a moment.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, TypeVar

from bitwarden_vault.state_folder import StateFolder, StateUnavailable
from credential_rotation.alerts.incident import FOLDER, RUNS, STORMS, Incident, beside, joined, read_incident

log = logging.getLogger(__name__)

_MISSED = "slack_missed"
Found = TypeVar("Found")


class IncidentBook:
    """Open incidents by credential, and since when Slack could not be told."""

    def __init__(self, folder: StateFolder) -> None:
        self._folder = folder

    def about(self, names: Collection[str]) -> list[Incident]:
        """The open incidents of these credentials, and all that runs and storms share."""
        wanted = {f"{FOLDER}/{name}" for name in names}
        places = [place for place in self._listed(FOLDER) if place in wanted]
        places += self._listed(f"{FOLDER}/{RUNS}") + self._listed(f"{FOLDER}/{STORMS}")
        return [found for place in places if (found := self._read(place))]

    def all(self) -> list[Incident]:
        """Every open incident."""
        return self.about([one.removeprefix(f"{FOLDER}/") for one in self._listed(FOLDER)])

    def keep(self, incident: Incident) -> None:
        """Write it down, as it is now."""
        self._try(lambda: self._folder.write(incident.place, incident.as_document()), None)

    def settle(self, before: Incident, after: Incident) -> Incident:
        """Write down what a run made of `before`, and return how it is now; an empty one is not written."""

        def write() -> Incident:
            with self._folder.alone():
                now = beside(read_incident(before.place, self._folder.read(before.place)), before, after)
                if now.members:
                    self._folder.write(now.place, now.as_document())
                return now

        return self._try(write, after)

    def at(self, place: str) -> Incident | None:
        """What is kept there."""
        return self._read(place)

    def begin(self, alone: Incident, shared: Incident, *, most_alone: int) -> Incident:
        """Write one of both down, and return it: `shared` once so many of its run are open alone.

        Where that has begun already, it is returned with who joins it.
        """

        def write() -> Incident:
            with self._folder.alone():
                there = read_incident(shared.place, self._folder.read(shared.place))
                if there is not None and not there.proof:
                    made = joined(there, shared.members, shared.last)
                else:
                    others = sum(one.run == alone.run for one in self.all())
                    made = alone if others < most_alone else shared
                self._folder.write(made.place, made.as_document())
                return made

        return self._try(write, alone)

    def close(self, incident: Incident) -> None:
        """It is over, and told; what was written since stays."""

        def remove() -> None:
            with self._folder.alone():
                if read_incident(incident.place, self._folder.read(incident.place)) == incident:
                    self._folder.remove(incident.place)

        self._try(remove, None)

    def missed(self) -> tuple[int, datetime] | None:
        """How often Slack could not be told, and since when; None where it has heard everything."""
        document = self._try(lambda: self._folder.read(_MISSED), None) or {}
        try:
            return int(document["times"]), datetime.fromisoformat(document["since"])
        except (KeyError, TypeError, ValueError):
            return None

    def keep_missed(self, times: int, since: datetime) -> None:
        """Write down that Slack could not be told."""
        document: dict[str, Any] = {"times": times, "since": since.isoformat()}
        self._try(lambda: self._folder.write(_MISSED, document), None)

    def nothing_missed(self) -> None:
        """Slack has heard of it."""
        self._try(lambda: self._folder.remove(_MISSED), None)

    def _listed(self, folder: str) -> list[str]:
        nothing: list[str] = []
        return self._try(lambda: self._folder.names(folder), nothing)

    def _read(self, place: str) -> Incident | None:
        return read_incident(place, self._try(lambda: self._folder.read(place), None))

    def _try(self, do: Callable[[], Found], otherwise: Found) -> Found:
        try:
            return do()
        except StateUnavailable as gone:
            log.warning("incidents are not kept: %s", gone)
            return otherwise
