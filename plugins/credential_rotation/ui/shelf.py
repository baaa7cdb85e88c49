"""What the page reads from the state folder, and what of it is kept in the api-server's memory.

Rules this file keeps:
- A document that is written once is read once; the list of a day that is over is asked for once.
- A document of a shape that is not ours is passed over: the page shows what the others tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from bitwarden_vault.readers.document import FOLDER as READERS
from bitwarden_vault.state_folder import StateFolder
from credential_rotation.state.approvals import APPROVALS
from credential_rotation.state.confirmations import PREFIX, about
from credential_rotation.state.confirmations import folder_of as words_about
from credential_rotation.state.history import DAY, KEEP_RUNS, RUNS, STATUS, folder_of
from credential_rotation.state.status import whole

MOST_OUTCOMES = 60
"""Of one credential, the newest."""
_SETTLED = timedelta(days=1, hours=6)
"""After its beginning, until when a day may still get a run."""

_AT_A_TIME = 16
_TELLS_NOTHING = (None, "", "planned")
"""A dry run changed nothing."""

Document = Mapping[str, Any]
Word = tuple[tuple[int, str], str]
"""A version, by number and attempt, and a consumer that has it, as a person said."""
Asked = TypeVar("Asked")
Got = TypeVar("Got")


@dataclass(frozen=True, slots=True)
class Row:
    """What one run says of one credential."""

    name: str
    outcome: str
    at: str
    dag_id: str
    by: str
    version: int | None
    reason: str
    next_step: str
    until: str | None
    written: str | None
    due: str | None
    act_by: str | None
    only_words_missing: bool = False


class Shelf:
    """One api-server's view of the folder. Every method raises StateUnavailable."""

    def __init__(self, folder: StateFolder) -> None:
        self.folder = folder
        self._runs: dict[str, list[Row]] = {}
        self._days: dict[str, list[str]] = {}
        self._outcomes: dict[str, Document] = {}
        self._words: dict[str, Word] = {}

    def status(self) -> Document | None:
        """The newest of what the planners know; each knows the whole inventory."""
        found = [self.folder.read(name) for name in self.folder.names(STATUS)]
        told = [ours for one in found if one and (ours := whole(one))]
        newest = max(told, key=lambda one: str(one.get("written", "")), default=None)
        return newest and self._with_questions(newest)

    def _with_questions(self, status: Document) -> Document:
        """Each entry with what people were asked about it last, and what they have said of its consumers."""
        found = self._each(lambda name: [self.folder.read(name)], self.folder.names(APPROVALS))
        asked = {str(one.get("name")): one for questions in found for one in questions if one}
        entries = status["credentials"]
        words = self._each(self._words_about, entries)
        told = zip(entries, words, strict=True)
        return {
            **status,
            "credentials": [
                {**one, "question": asked.get(one.get("name")), "words": said} for one, said in told
            ],
        }

    def _words_about(self, entry: Document) -> list[Word]:
        """What was said of those who take this entry's value by hand; a word is written once."""
        name = str(entry.get("name"))
        consumers = entry.get("consumers")
        if not isinstance(consumers, list) or not any(str(one).startswith(PREFIX) for one in consumers):
            return []
        kept = self.folder.names(words_about(name))
        for one in kept:
            if one not in self._words and (word := about(self.folder.read(one) or {}, name)):
                self._words[one] = word
        return [self._words[one] for one in kept if one in self._words]

    def readers(self) -> list[Document]:
        """What agents publish of who read what."""
        found = [self.folder.read(name) for name in self.folder.names(READERS)]
        return [one for one in found if one and isinstance(one.get("readers"), list)]

    def rows(self, now: datetime) -> list[Row]:
        """What runs said in the last 90 days, oldest first."""
        days = [now - timedelta(days=age) for age in range(KEEP_RUNS.days, -1, -1)]
        names = [name for found in self._each(lambda day: self._of_day(day, now), days) for name in found]
        for gone in self._runs.keys() - set(names):
            self._runs.pop(gone, None)
        return [row for rows in self._each(self._of_run, names) for row in rows]

    def outcomes(self, credential: str) -> list[Document]:
        """What became of one credential, newest first, with steps."""
        names = self.folder.names(folder_of(credential))[-MOST_OUTCOMES:]
        if len(self._outcomes) > 50 * MOST_OUTCOMES:
            self._outcomes.clear()
        for name in names:
            if name not in self._outcomes and (found := self.folder.read(name)):
                self._outcomes[name] = found
        return [self._outcomes[name] for name in reversed(names) if name in self._outcomes]

    def _each(self, ask: Callable[[Asked], list[Got]], of: Sequence[Asked]) -> list[list[Got]]:
        """All answers in order; an object store is asked many things at a time."""
        if not self.folder.is_shared_store:
            return [ask(one) for one in of]
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            return list(pool.map(ask, of))

    def _of_day(self, day: datetime, now: datetime) -> list[str]:
        key = day.strftime(DAY)
        if key in self._days:
            return self._days[key]
        names = self.folder.names(f"{RUNS}/{key}")
        if day.replace(hour=0, minute=0) + _SETTLED < now:
            self._days[key] = names
        return names

    def _of_run(self, name: str) -> list[Row]:
        kept = self._runs.get(name)
        if kept is None:
            found = self.folder.read(name)
            kept = self._runs[name] = list(_rows(found)) if found else []
        return kept


def _rows(run: Document) -> Iterable[Row]:
    asked = run.get("asked")
    asked = asked if isinstance(asked, dict) else {}
    rows = run.get("rows")
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and row.get("name") and row.get("outcome") not in _TELLS_NOTHING:
            yield Row(
                name=str(row["name"]),
                outcome=str(row["outcome"]),
                at=str(row.get("at") or run.get("written")),
                dag_id=str(asked.get("dag_id", "")),
                by=str(asked.get("by", "")),
                version=row.get("version"),
                reason=str(row.get("reason") or ""),
                next_step=str(row.get("next_step") or ""),
                until=row.get("until"),
                written=row.get("written"),
                due=row.get("due"),
                act_by=row.get("act_by"),
                only_words_missing=row.get("only_words_missing") is True,
            )
