"""Evidence from what the state folder keeps, for the page and, with more beside it, for the command line.

Rules this file keeps:
- A document that is no document of ours is passed over and counted: the evidence says how many.
- Who reads may find the folder empty: that is told, and is no proof that nothing happened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from bitwarden_vault.audit.line import Seal
from bitwarden_vault.readers.document import FOLDER as READERS
from bitwarden_vault.state_folder import StateFolder
from credential_rotation.evidence.document import Evidence, ReaderTold, Source, document_of
from credential_rotation.evidence.evidence import STATE, Told, events_of, rotations_of, since
from credential_rotation.evidence.seal import sealed
from credential_rotation.evidence.steps import Document
from credential_rotation.state.history import STATUS, folder_of
from credential_rotation.state.status import whole


@dataclass(frozen=True, slots=True)
class Kept:
    """All that the state folder has of one credential."""

    entry: Document
    outcomes: Sequence[Document]
    readers: Sequence[ReaderTold]
    sources: Sequence[Source]


def kept_of(
    state: StateFolder, name: str, entry: Document | None = None, *, project: str | None = None
) -> Kept:
    """What is kept of it; `entry` where the caller knows more than the newest status.

    `project` is the id of CURRENT's, where the caller knows it: in another one the same key is another's.
    Raises: StateUnavailable.
    """
    names = state.names(folder_of(name))
    found = [one for one in map(state.read, names) if one]
    own = [one for one in found if one.get("name") == name]
    entry = entry or _entry(state, name)
    readers = _readers(state, entry, project)
    told = _counted(len(own), "attempt")
    if own:
        told += f", the oldest of {str(own[0].get('at', ''))[:10]}"
    if len(own) < len(names):
        told += f"; {len(names) - len(own)} documents could not be understood"
    sources = (
        Source(STATE, f"{state.path}/{folder_of(name)}", told),
        Source(READERS, f"{state.path}/{READERS}", _counted(len(readers), "reader")),
    )
    return Kept(entry, own, readers, sources)


def evidence_kept(  # noqa: PLR0913 - who asks, and what else is known
    state: StateFolder,
    name: str,
    *,
    now: datetime | None = None,
    by: str = "Airflow's page",
    moment: datetime | None = None,
    exceptions: Sequence[Mapping[str, Any]] = (),
    more: Sequence[Source] = (),
    seal: Seal | None = None,
) -> dict[str, Any]:
    """The document from the state folder alone, sealed: nobody else is asked.

    `more` is what the caller has to say of further sources. Raises: StateUnavailable.
    """
    kept = kept_of(state, name)
    asked = Source(
        "Bitwarden and audit trail", "", "not asked: the command line does, `evidence NAME --html`"
    )
    evidence = Evidence(
        credential=name,
        entry=kept.entry,
        made=now or datetime.now(timezone.utc),
        made_by=by,
        since=moment,
        rotations=since(rotations_of(Told(kept.outcomes)), moment),
        events=events_of(kept.outcomes, moment),
        readers=kept.readers,
        exceptions=exceptions,
        sources=(*kept.sources, *more, asked),
    )
    return sealed(document_of(evidence), seal or Seal())


def _entry(state: StateFolder, name: str) -> Document:
    """The entry as the newest planner's status has it; empty where none has it."""
    found = [one for one in map(state.read, state.names(STATUS)) if one]
    for status in sorted(found, key=lambda one: str(one.get("written", "")), reverse=True):
        for row in (whole(status) or {}).get("credentials", ()):
            if row["name"] == name:
                return dict(row)
    return {}


def _readers(state: StateFolder, entry: Document, project: str | None) -> list[ReaderTold]:
    key = (entry.get("vault") or {}).get("key")
    found = []
    for document in filter(None, map(state.read, state.names(READERS))):
        rows = document.get("readers")
        found += [
            _reader(row, document)
            for row in (rows if isinstance(rows, list) else ())
            if isinstance(row, dict) and key and row.get("key") == key
            if project is None or row.get("project") == project
        ]
    return sorted(found, key=lambda one: (one.last, one.who), reverse=True)


def _reader(row: Document, document: Document) -> ReaderTold:
    task = ".".join(str(row[part]) for part in ("dag", "task") if row.get(part))
    who = task or str(row.get("user") or row.get("program") or "a process")
    version = row.get("version")
    return ReaderTold(
        who=f"{who} on {document.get('host') or 'a host'}",
        version=version if isinstance(version, int) else None,
        times=None,
        first=str(row.get("first") or ""),
        last=str(row.get("last") or document.get("written") or ""),
        source=READERS,
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
