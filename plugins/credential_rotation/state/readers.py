"""Readers as the agents of all hosts publish them under `ROTATION_STATE_PATH`.

Rules this file keeps:
- A host that went silent is believed for a day: its processes may live on. After a week it is removed. Of a
  document that does not say when it was written, its file does.
- A folder that cannot be read, and a document that makes no sense, are told: somebody may be missing.
- A folder that hangs is given up: the attempt that asks holds a lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from bitwarden_vault.readers.document import (
    FOLDER,
    KEPT_FOR,
    SILENT_AFTER,
    UNHEARD_AFTER,
    ReaderDocument,
    read_document,
    unclear_readers,
    written,
)
from bitwarden_vault.readers.document import Reader as Published
from bitwarden_vault.state_folder import StateFolder, StateUnavailable
from credential_rotation.background import answer_within
from credential_rotation.model import Credential, Current
from credential_rotation.outcome import Outcome
from credential_rotation.readership import Reader, Readership

ANSWERS_WITHIN = 20.0
"""Seconds for reading all documents."""
MOST_NAMED = 3
"""Readers of one credential in a status line; `--json` has them all."""

Found = tuple[tuple[ReaderDocument, ...], str]
Read = tuple[ReaderDocument, Published]


@dataclass(frozen=True, slots=True)
class PublishedReaders:
    """Implements `protocols.Readers`."""

    folder: StateFolder
    clock: Callable[[], datetime]
    within: float = ANSWERS_WITHIN

    def of(self, current: Current) -> Readership:
        """Everybody who was given a version of this secret."""
        documents, unknown = self.documents(tidy=True)
        secret = current.id.lower()
        return self.told((pair for pair in _each(documents) if pair[1].secret == secret), unknown)

    def told(self, readers: Iterable[Read], unknown: str) -> Readership:
        """These readers, by what is to be thought of them now."""
        living, forgotten, unseen = [], [], []
        for document, one in readers:
            reader = Reader(one.version, _who(one, document, self.clock()))
            heard = document.written if one.pid else min(document.written, one.last)
            if self.clock() - heard > UNHEARD_AFTER:
                forgotten.append(reader)
            elif one.hands_on:
                unseen.append(reader)
            else:
                living.append(reader)
        return Readership(tuple(living), tuple(forgotten), tuple(unseen), unknown)

    def documents(self, *, tidy: bool = False) -> Found:
        """All that is published, and why something may be missing. Never raises, never hangs."""
        found = answer_within(self.within, lambda: self._read(tidy=tidy))
        return found or ((), f"{self.folder.path!r} has not answered for {self.within:g} s")

    def _read(self, *, tidy: bool) -> Found:
        found: list[ReaderDocument] = []
        unknown: list[str] = []
        try:
            for name in self.folder.names(FOLDER):
                try:
                    document, missing = self._read_one(name, tidy=tidy)
                except StateUnavailable as trouble:  # the others may be there all the same
                    document, missing = None, [f"{name}: {trouble}"]
                found += [document] if document is not None else []
                unknown += missing
        except StateUnavailable as trouble:
            unknown.append(str(trouble))
        except Exception as wrong:  # noqa: BLE001 - each store has its own errors
            unknown.append(f"{self.folder.path!r} cannot be read: {type(wrong).__name__}")
        return tuple(found), "; ".join(unknown[:3])

    def _modified(self, name: str) -> datetime | None:
        """The date of its file, for a document that has none of its own."""
        at = self.folder.modified(name)
        return None if at is None else datetime.fromtimestamp(at, tz=timezone.utc)

    def _read_one(self, name: str, *, tidy: bool) -> tuple[ReaderDocument | None, list[str]]:
        """A document that is not over, and why readers may be missing. Raises: StateUnavailable."""
        raw = self.folder.read(name)
        if raw is None and name not in self.folder.names(FOLDER):
            return None, []  # its last reader has just ended
        document, at = read_document(raw), written(raw) or self._modified(name)
        if at is not None and self.clock() - at > KEPT_FOR:
            if tidy:
                self.folder.remove(name)
            return None, []
        if document is None:
            undated = "" if at else ", nor when it was written: remove it"
            return None, [f"{name} under {self.folder.path!r} cannot be understood{undated}"]
        missing = []
        if document.unclear:
            missing.append(f"{unclear_readers(document.unclear)} in {name} cannot be understood")
        if document.left_out:
            missing.append(f"{document.host} had more readers than it keeps ({document.left_out})")
        return document, missing


def with_readers(
    readers: PublishedReaders,
    pairs: Iterable[tuple[Credential, Outcome]],
    project_of: Callable[[Credential], str | None],
) -> tuple[Outcome, ...]:
    """The outcomes with who is known to use each credential, told by one look at the folder."""
    documents, unknown = readers.documents()
    by_place: dict[object, list[Read]] = {}
    for document, one in _each(documents):
        by_place.setdefault(one.secret, []).append((document, one))
        by_place.setdefault((one.project, one.key), []).append((document, one))
    made = []
    for credential, outcome in pairs:
        secret = credential.vault.id
        place = secret.lower() if secret else ((project_of(credential) or "").lower(), credential.vault.key)
        found = readers.told(by_place.get(place, ()), unknown)
        everybody = sorted({(one.version, one.who) for one in (*found.living, *found.unseen)})
        reason = _with(outcome.reason, everybody) + (f"; readers unknown: {unknown}" if unknown else "")
        made.append(replace(outcome, readers=tuple(everybody), reason=reason))
    return tuple(made)


def _with(reason: str, everybody: list[tuple[int, str]]) -> str:
    if not everybody:
        return reason
    named = "; ".join(f"version {version} by {who}" for version, who in everybody[:MOST_NAMED])
    more = f"; and {len(everybody) - MOST_NAMED} more" if len(everybody) > MOST_NAMED else ""
    return f"{reason}; read by {len(everybody)}: {named}{more}"


def _each(documents: tuple[ReaderDocument, ...]) -> Iterator[Read]:
    """Each process once for each secret: while a document is taken over, two agents name the same ones."""
    seen = set()
    newest = sorted(documents, key=lambda one: one.written, reverse=True)
    for document in newest:
        for one in document.readers:
            unseen = () if one.pid else (one.dag, one.task, one.run, one.try_number, one.user)
            place = (
                document.host,
                document.boot,
                document.numbers,
                one.pid,
                one.started,
                one.secret,
                *unseen,
            )
            if place not in seen:
                seen.add(place)
                yield document, one


def _who(one: Published, document: ReaderDocument, now: datetime) -> str:
    silent = now - document.written > SILENT_AFTER
    where = f"on {document.host}"
    if silent:
        where += f" (not heard of since {document.written:%Y-%m-%d %H:%M} UTC)"
    process = f"process {one.pid}" if one.pid else "a process that cannot be seen"
    calls_itself = f" ({one.program})" if one.program else ""
    if one.dag:
        attempt = f", try {one.try_number}" if one.try_number > 1 else ""
        return f"dag {one.dag} task {one.task} (run {one.run}{attempt}) {where}"
    if one.user:
        return f"{one.user} at a command line ({process}) {where}"
    if one.hands_on:
        return f"server {process}{calls_itself} {where}"
    return f"worker {process}{calls_itself} {where}, outside any task: restart that worker"
