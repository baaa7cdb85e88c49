"""What can be shown to an auditor about one credential: each rotation, who, why, when, and what was proved.

Rules this file keeps:
- Pure: documents in, nouns out. Nothing is asked, and what no document says is said to be missing.
- A proof is what was answered at the time; nothing is concluded from a word like "rotated".
- No value, and nothing that helps to guess one, is in any of the documents that it is made from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from credential_rotation.evidence.in_force import RECORDED, REPLACED, UNKNOWN, place_of, terms_of
from credential_rotation.evidence.steps import (
    Confirmed,
    Document,
    Proof,
    accepted,
    asked,
    confirmed,
    consumers,
    deaths,
    deleted,
    is_compromise,
    read_moment,
    shows,
    steps,
    text_in,
    version_in,
)
from credential_rotation.journal.current_note import read_history_line
from credential_rotation.model import UNMANAGED_EPOCH
from credential_rotation.outcome import Shows

STATE, JOURNAL, NOTE, TRAIL = "state folder", "journal", "CURRENT's note", "audit trail"
"""Where a version is known from, the best source first."""


@dataclass(frozen=True, slots=True)
class TrailPlace:
    """A line of the audit trail that tells of this version's writes."""

    what: str
    at: str
    segment: str
    line: int
    sequence: int
    digest: str
    fits: bool


@dataclass(frozen=True, slots=True)
class Rotation:
    """One version: how it came to be, what was proved of it, and what became of the one before."""

    version: int
    source: str
    made: str | None = None
    """When it was written down."""
    in_force: str | None = None
    """When it became CURRENT; None where that is not on record, or never was."""
    standing: str = UNKNOWN
    principal: str = ""
    attempt: str = ""
    outcome: str = ""
    reason: str = ""
    by: str = ""
    why: str = ""
    approved_by: str = ""
    dag_id: str = ""
    run_id: str = ""
    log_url: str = ""
    accepted: tuple[Proof, ...] = ()
    """The new value, by the target and its endpoints."""
    consumers: tuple[Proof, ...] = ()
    confirmed: tuple[Confirmed, ...] = ()
    """People's words that who takes values by hand has it."""
    before: int | None = None
    """The version that this one replaced."""
    old_value: tuple[Proof, ...] = ()
    old_deleted: str | None = None
    """When the record of the version before was deleted, after its value was seen to be dead."""
    replaced: str | None = None
    """When another one became CURRENT."""
    limit: str | None = None
    """When the policy wanted this version replaced at the latest."""
    places: tuple[TrailPlace, ...] = ()

    @property
    def gaps(self) -> tuple[str, ...]:
        """What of a whole proof is missing."""
        return tuple(_gaps(self))


@dataclass(frozen=True, slots=True)
class Event:
    """One attempt that left a document, whatever its end."""

    at: str
    outcome: str
    version: int | None
    by: str
    why: str
    reason: str


@dataclass(frozen=True, slots=True)
class Version:
    """What the vault or the audit trail says of a version: that it was made, and when."""

    version: int
    made: str
    source: str
    attempt: str = ""
    principal: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What each source had to say; an empty one may be lost, or never have been there."""

    outcomes: Sequence[Document] = ()
    versions: Sequence[Version] = ()
    places: Mapping[int, Sequence[TrailPlace]] = field(default_factory=dict)
    """By version."""
    current: int | None = None
    """The version whose value CURRENT holds, where the vault was asked."""


def rotations_of(told: Told) -> tuple[Rotation, ...]:
    """All versions that any source knows, oldest first."""
    became = tuple(_from_outcomes(told.outcomes))
    found = _with_versions(became, told.versions)
    terms = terms_of(
        [(one.version, one.in_force) for one in became if one.in_force],
        told.outcomes,
        {one.version: one.made for one in reversed(told.versions) if one.source == NOTE},
        told.current,
    )
    for term in terms:
        word = "adopted" if term.version == UNMANAGED_EPOCH else ""
        found.setdefault(term.version, Rotation(term.version, STATE, outcome=word))
    dead, gone, words = deaths(told.outcomes), deleted(told.outcomes), confirmed(told.outcomes)

    def whole(one: Rotation, lower: int | None) -> Rotation:
        place = place_of(one.version, terms)
        before = None if place.standing == RECORDED else place.before if place.before is not None else lower
        return replace(
            one,
            in_force=place.since,
            standing=place.standing,
            confirmed=tuple(words.get(one.version, ())),
            before=before,
            old_value=() if before is None else tuple(dead.get(before, ())),
            old_deleted=None if before is None else gone.get(before),
            replaced=place.replaced,
            places=tuple(told.places.get(one.version, ())),
        )

    ordered = sorted(found)
    return tuple(
        whole(found[version], lower) for lower, version in zip([None, *ordered], ordered, strict=False)
    )


def _with_versions(became: Iterable[Rotation], versions: Iterable[Version]) -> dict[int, Rotation]:
    """Those that became CURRENT, by version, and what the vault or the trail tells of these and of others."""
    found = {one.version: one for one in became}
    for one in versions:
        known = found.get(one.version)
        if known is None:
            found[one.version] = Rotation(
                one.version, one.source, one.made, principal=one.principal, attempt=one.attempt, by=one.by
            )
        elif not known.principal or not known.made:
            found[one.version] = replace(
                known, principal=known.principal or one.principal, made=known.made or one.made
            )
    return found


def since(rotations: Sequence[Rotation], moment: datetime | None) -> tuple[Rotation, ...]:
    """Those of a time, with the version that was in force when it began."""
    if moment is None:
        return tuple(rotations)
    made = [read_moment(one.in_force or one.made) for one in rotations]
    first = next((n for n, at in enumerate(made) if at is not None and at >= moment), len(rotations))
    return tuple(rotations[max(0, first - 1) :])


def events_of(outcomes: Sequence[Document], moment: datetime | None) -> tuple[Event, ...]:
    """Every attempt that left a document, oldest first."""
    found = [
        Event(
            at=str(one.get("at", "")),
            outcome=str(one.get("outcome", "")),
            version=one.get("version") if isinstance(one.get("version"), int) else None,
            by=asked(one, "by"),
            why="compromise mode: " * is_compromise(one) + asked(one, "why"),
            reason=str(one.get("reason") or ""),
        )
        for one in outcomes
    ]
    return tuple(
        one
        for one in sorted(found, key=lambda one: one.at)
        if moment is None or (read_moment(one.at) or moment) >= moment
    )


def versions_in_note(history: Iterable[str]) -> list[Version]:
    """The versions that CURRENT's note tells of; the first line of each counts."""
    found: dict[int, Version] = {}
    for line in history:
        told = read_history_line(line)
        if told is not None:
            version, at = told
            found.setdefault(version, Version(version, at.isoformat(), NOTE))
    return list(found.values())


# --- out of the outcomes -------------------------------------------------------------------------------


def _from_outcomes(outcomes: Sequence[Document]) -> Iterable[Rotation]:
    """Versions that became CURRENT, and values that were CURRENT already and were only given a record."""
    ordered = sorted(outcomes, key=lambda one: str(one.get("at", "")))
    begun: dict[int, tuple[Document, Document]] = {}
    for document in ordered:
        yield from _closed(document)
        recorded = [step for step in steps(document) if shows(step) is Shows.RECORDED]
        for step in steps(document):
            version = version_in(step)
            if version is None:
                continue
            if step in recorded:
                begun.setdefault(version, (document, step))
                is_found = version == UNMANAGED_EPOCH or step is not recorded[-1]
                if document.get("outcome") == "adopted" or is_found:
                    found = _rotation(version, document, document, step, step)
                    yield replace(found, outcome="adopted", limit=None, accepted=(), consumers=())
            elif shows(step) is Shows.PROMOTED:
                yield _rotation(version, document, *begun.get(version, (document, step)), step)


def _closed(document: Document) -> Iterable[Rotation]:
    """What no tool can change, and a person did."""
    changed = [step for step in steps(document) if shows(step) is Shows.CHANGED_BY_HAND]
    version = version_in(changed[0]) if changed else None
    if document.get("outcome") != "closed" or version is None:
        return
    stored = (step for step in steps(document) if shows(step) is Shows.STORED)
    proofs = (Proof(str(step.get("at")), "changed", text_in(step, "why")) for step in stored)
    found = _rotation(version, document, document, changed[0], changed[0])
    yield replace(found, accepted=tuple(proofs), consumers=())


def _rotation(
    version: int, finished: Document, began: Document, first: Document, promoted: Document
) -> Rotation:
    """`finished` made it CURRENT, `began` wrote it down: the same attempt, unless something came between."""
    done = steps(finished)
    return Rotation(
        version=version,
        source=STATE,
        made=str(first.get("at") or finished.get("at")),
        in_force=str(promoted.get("at") or finished.get("at")),
        principal=text_in(first, "principal"),
        attempt=str(began.get("attempt") or ""),
        outcome=str(finished.get("outcome", "")),
        reason=str(finished.get("reason") or ""),
        by=asked(began, "by"),
        why=asked(began, "why"),
        approved_by=asked(began, "approved_by"),
        dag_id=asked(began, "dag_id"),
        run_id=asked(began, "run_id"),
        log_url=asked(finished, "log_url"),
        accepted=tuple(accepted(done, version)),
        consumers=tuple(consumers(done, version)),
        limit=finished.get("act_by"),
    )


def _gaps(rotation: Rotation) -> Iterable[str]:
    if rotation.standing == RECORDED:
        yield "it is recorded, and is not in force: nothing says that it ever was CURRENT"
        return
    if rotation.standing == REPLACED and rotation.replaced is None:
        yield "when it was replaced is not on record"
    if rotation.source != STATE:
        source = rotation.source if rotation.source == NOTE else f"the {rotation.source}"
        yield f"known from {source} only: who asked, why, and what was proved is not on record"
    elif rotation.outcome == "closed":
        yield "that it was changed is a person's word; no login proves it"
    elif rotation.outcome != "adopted":
        yield from _unproved(rotation)


def _unproved(rotation: Rotation) -> Iterable[str]:
    if rotation.made is None:
        yield "who made it, and when, is not on record: an attempt found it to be CURRENT"
    if not rotation.accepted:
        yield "that the new value logs in is not on record"
    said = {word.consumer for word in rotation.confirmed}
    for proof in (*rotation.accepted, *rotation.consumers):
        if proof.answer != "works" and proof.where not in said:
            yield f"{proof.where}: {proof.answer}"
    if rotation.before is not None and not any(one.answer == "refused" for one in rotation.old_value):
        yield f"that the value of version {rotation.before} is refused is not on record (yet)"
