"""Secrets looked up by key, on the agent's side: what is remembered, and the steps to what is not.

Rules this file keeps:
- An answer is never older than its asker allows: a value than its cache life, a miss than a few seconds, and
  for who wants a fresh one than the question.
- A remembered id that leads elsewhere (deleted, renamed, moved) is looked up anew before anybody is told; one
  that does not is good for as long as the list that it came from: its name may have a second secret by now.
- What says no (none, several, no such project) comes from younger lists than what says yes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from bitwarden_vault.agent.fetches import Answer, Asker, Fetches, Place
from bitwarden_vault.agent.lookup_cache import LookupCache, Wanted
from bitwarden_vault.agent.lookup_names import (
    Listing,
    insist_on_seen,
    needs_project_names,
    project_ids,
    secret_id,
)
from bitwarden_vault.agent.request import Request
from bitwarden_vault.errors import Misconfigured, NotFound, VaultError, to_wire
from bitwarden_vault.untyped import Any

NAMES_LIFE = 60.0
"""Seconds that a list, of secrets or projects, is good for finding a secret."""
MISS_LIFE = 15.0
"""Seconds that lists are good for saying no: people mend it and try at once."""
_SECRETS: Place = ("list_secrets", "")
_PROJECTS: Place = ("list_projects", "")
_ROUNDS = 3
"""Times that an id may lead nowhere while the list still names it."""


@dataclass(slots=True, eq=False)
class Lookup:
    """One question."""

    wanted: Wanted
    asker: Asker
    asked_at: float
    is_fresh_wanted: bool
    cache_life: float = math.inf
    """Seconds that a value may be old for this asker; the agent may keep it for less.

    0: what this asker is given is not kept at all; what others had kept stays theirs.
    """
    rounds: int = 0

    def oldest(self, life: float) -> float:
        """The moment before which no answer of this life may have been begun."""
        return self.asked_at - (0.0 if self.is_fresh_wanted else life)


class Lookups:
    """All questions, and what is known from earlier ones."""

    def __init__(self, organization_id: str, life: float, send: Callable[[Request], None]) -> None:
        self._fetches = Fetches(organization_id, send)
        self._cache = LookupCache(life)
        self._ids: dict[Wanted, tuple[str, float]] = {}
        """The id that a name led to, and when its list was begun."""
        self._lists: dict[Place, Listing] = {}

    def __len__(self) -> int:
        """How many values are remembered."""
        return len(self._cache)

    def changed(self, operation: str, arguments: dict[str, Any]) -> None:
        """A write through this agent begins or has ended: what it may have changed is forgotten."""
        self._lists.pop(_SECRETS, None)
        self._fetches.overtake(_SECRETS)
        for one in [arguments["id"]] if operation == "update_secret" else arguments.get("ids", []):
            self._cache.forget(str(one).lower())
            self._fetches.overtake(("get_secret", str(one).lower()))

    def sweep(self, now: float) -> float:
        """Remove what is over; the moment at which more is."""
        return self._cache.sweep(now)

    def take(self, lookup: Lookup) -> None:
        """Answer, or take the next step towards it."""
        kept = self._cache.get(lookup.wanted, time.monotonic())
        if kept is not None and kept.begun_at >= lookup.oldest(lookup.cache_life):
            lookup.asker.tell({"result": kept.secret})
            return
        try:
            self._step(lookup)
        except VaultError as error:
            lookup.asker.tell({"error": to_wire(error)})

    def _step(self, lookup: Lookup) -> None:
        """Raises: Misconfigured (no such project), Ambiguous."""
        known = self._ids.get(lookup.wanted)
        if known is None or known[1] < lookup.oldest(NAMES_LIFE):
            known = self._named(lookup)
        if known is not None:
            place = "get_secret", known[0]
            self._fetches.ask(place, lookup.asker, lambda answer: self._read(lookup, answer))

    def _named(self, lookup: Lookup) -> tuple[str, float] | None:
        """The id that the name leads to; None where there is none, or a list has to be asked for first."""
        for life in (NAMES_LIFE, MISS_LIFE):
            place = self._outdated(lookup, life)
            if place is not None:
                self._list(place, lookup)
                return None
            try:
                found = secret_id(lookup.wanted[0], self._projects(lookup), self._lists[_SECRETS].found)
            except VaultError:
                if life == MISS_LIFE:
                    raise
                continue
            if found is not None:
                self._ids[lookup.wanted] = found, self._lists[_SECRETS].begun_at
                return self._ids[lookup.wanted]
        if lookup.wanted[1]:
            insist_on_seen(lookup.wanted[1], self._lists[_PROJECTS].found, self._lists[_SECRETS].found)
        lookup.asker.tell({"result": None})
        return None

    def _outdated(self, lookup: Lookup, life: float) -> Place | None:
        """The list that is missing, or has been good for so long."""
        names = lookup.wanted[1]
        has_projects = needs_project_names(names) or (names and life == MISS_LIFE)
        places = (_SECRETS, _PROJECTS) if has_projects else (_SECRETS,)
        known = ((place, self._lists.get(place)) for place in places)
        oldest = lookup.oldest(life)
        return next((place for place, one in known if one is None or one.begun_at < oldest), None)

    def _projects(self, lookup: Lookup) -> frozenset[str] | None:
        """The ids of its projects; None where it names none. Raises: Misconfigured."""
        names, listed = lookup.wanted[1], self._lists.get(_PROJECTS)
        return project_ids(names, listed.found if listed else ()) if names else None

    def _list(self, place: Place, lookup: Lookup) -> None:
        def then(answer: Answer) -> None:
            if not answer.is_overtaken:
                self._lists[place] = Listing(answer.result, answer.begun_at)
            self.take(lookup)

        self._fetches.ask(place, lookup.asker, then)

    def _read(self, lookup: Lookup, answer: Answer) -> None:
        wanted, secret = lookup.wanted, answer.result
        if secret is None or secret["key"] != wanted[0] or not self._is_in_place(lookup, secret):
            self._look_anew(lookup)
        elif answer.begun_at < lookup.oldest(lookup.cache_life):
            self.take(lookup)
        else:
            if not answer.is_overtaken and lookup.cache_life > 0:
                self._cache.put(wanted, secret, answer.begun_at)
            lookup.asker.tell({"result": secret})

    def _is_in_place(self, lookup: Lookup, secret: dict[str, Any]) -> bool:
        try:
            projects = self._projects(lookup)
        except Misconfigured:  # a later list has them no more
            return False
        return projects is None or str(secret["project_id"]).lower() in projects

    def _look_anew(self, lookup: Lookup) -> None:
        """The id led nowhere, or somewhere else."""
        self._ids.pop(lookup.wanted, None)
        self._lists.pop(_SECRETS, None)
        lookup.rounds += 1
        if lookup.rounds < _ROUNDS:
            self.take(lookup)
            return
        key = lookup.wanted[0]
        gone = NotFound(f"the secret {key!r} is listed, and cannot be read: is it being moved or deleted?")
        lookup.asker.tell({"error": to_wire(gone)})
