"""Evidence from everything that can be asked: state folder, Bitwarden, the audit trail's own files.

Rules this file keeps:
- A source that cannot be asked is told as such and keeps none of the others from being told.
- Of the vault, names and the note's history are taken, never a value; only whose value CURRENT holds is told.
- The trail is judged by `audit verify` itself; lines are named by file, so that who checks finds them.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bitwarden_vault.audit.command import Folder
from bitwarden_vault.audit.findings import ChainCheck
from bitwarden_vault.audit.line import PLAIN, Seal, read_key
from bitwarden_vault.audit.places import CHECKPOINT, SEGMENT
from bitwarden_vault.audit.search import Place, places
from bitwarden_vault.audit.settings import CHECKPOINT as CHECKPOINTS
from bitwarden_vault.audit.settings import KEY_FILE, PATH, checkpoint_folder
from bitwarden_vault.audit.verify import verify
from bitwarden_vault.errors import VaultError
from bitwarden_vault.note import read_note
from bitwarden_vault.state_folder import StateUnavailable, state_folder
from credential_rotation.by_hand import BY_HAND
from credential_rotation.errors import RotationError
from credential_rotation.evidence.document import Evidence, ReaderTold, Source, TrailVerdict
from credential_rotation.evidence.evidence import (
    JOURNAL,
    NOTE,
    TRAIL,
    Told,
    TrailPlace,
    Version,
    events_of,
    rotations_of,
    since,
    versions_in_note,
)
from credential_rotation.evidence.kept import Kept, kept_of
from credential_rotation.evidence.steps import Document, read_moment, shows, steps, version_in
from credential_rotation.journal.records import PREFIX
from credential_rotation.journal.records import read_key as read_record_key
from credential_rotation.model import Credential, Current, Stored
from credential_rotation.outcome import Shows
from credential_rotation.planning.planning import Known
from credential_rotation.planning.status_rows import status_row
from credential_rotation.wiring import Deployment

_WRITES = {"create_secret": "recorded in the journal", "update_secret": "written into CURRENT"}
_READS = frozenset({"look_up", "get_secret"})
_SLACK = timedelta(seconds=2)
"""Between an attempt's clock and the agent's."""


def evidence_on(
    deployment: Deployment,
    credential: Credential,
    *,
    moment: datetime | None,
    by: str,
    exceptions: Sequence[Mapping[str, object]] = (),
) -> Evidence:
    """All that can be found since `moment` (None: ever); a source that cannot be read is told as such."""
    vault = _vault(deployment, credential)
    kept = _kept(deployment, credential, vault)
    found, verdict, told = _trail(deployment.environ, credential)
    versions = [*vault.versions, *_versions_in(found)]
    known = rotations_of(Told(kept.outcomes, versions, current=vault.current))
    by_version = _by_version(found, kept.outcomes)
    rotations = [replace(one, places=tuple(by_version.get(one.version, ()))) for one in known]
    return Evidence(
        credential=credential.name,
        entry=kept.entry,
        made=deployment.clock(),
        made_by=by,
        since=moment,
        rotations=since(rotations, moment),
        events=events_of(kept.outcomes, moment),
        readers=(*kept.readers, *_readers_in(found, credential, vault.project, moment)),
        exceptions=exceptions,
        trail=verdict,
        sources=(*kept.sources, *vault.sources, told),
    )


def _kept(deployment: Deployment, credential: Credential, vault: _Vault) -> Kept:
    state = state_folder(deployment.environ)
    try:
        return kept_of(state, credential.name, vault.row, project=vault.project)
    except StateUnavailable as why:
        return Kept(vault.row, (), (), (Source("state folder", state.path, f"not read: {why}"),))


# --- Bitwarden -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Vault:
    """What Bitwarden tells of an entry."""

    row: Document
    """As a planner's status has it."""
    versions: list[Version] = field(default_factory=list)
    """Those that the vault still knows."""
    current: int | None = None
    """The version whose value CURRENT holds."""
    project: str | None = None
    """The id of CURRENT's; None where it cannot be told."""
    sources: list[Source] = field(default_factory=list)


def _vault(deployment: Deployment, credential: Credential) -> _Vault:
    """All that can be asked; what cannot is told among the sources."""
    if credential.engine == BY_HAND:
        told = _Vault(status_row(credential, deployment.closings.known(credential)))
        told.sources.append(Source("Bitwarden", "", "not asked: no version of it is recorded there"))
        return told
    told = _Vault(status_row(credential, Known((), has_current=False)))
    try:
        known = deployment.known([credential])[credential.name]
        told.row = status_row(credential, known)
        project = deployment.bitwarden.project_of(credential)
        told.project = project.lower() if project else None
        told.versions += [
            Version(one.epoch, one.written.isoformat(), JOURNAL, one.attempt) for one in known.records
        ]
        living = f"{len(told.versions)} versions whose values may live"
        told.sources.append(Source(JOURNAL, "Bitwarden", living))
        stored = deployment.vault(credential).look()
        noted, told.current = _noted(stored.current), stored.own.epoch if stored.own else None
        told.versions += noted
        told.sources.append(Source(NOTE, "Bitwarden", f"{len(noted)} versions; it keeps the last 20 writes"))
        told.sources.append(Source("CURRENT", "Bitwarden", _holds(stored)))
    except (RotationError, VaultError) as error:
        told.sources.append(Source("Bitwarden", "", f"not asked: {getattr(error, 'what', error)}"))
    return told


def _noted(current: Current | None) -> list[Version]:
    block = read_note(current.note) if current else None
    return versions_in_note(block.history) if block else []


def _holds(stored: Stored) -> str:
    if stored.current is None:
        return "it is not there"
    return f"it holds the value of version {stored.own.epoch}" if stored.own else "no record holds its value"


# --- the audit trail -----------------------------------------------------------------------------------


def _trail(
    environ: Mapping[str, str], credential: Credential
) -> tuple[list[Place], TrailVerdict | None, Source]:
    path = environ.get(PATH, "").strip()
    if not path:
        return [], None, Source(TRAIL, "", f"not asked: {PATH} is not set here")
    try:
        segments = Folder(path, SEGMENT)
        seals = [read_key(environ[KEY_FILE])] if environ.get(KEY_FILE, "").strip() else []
        keys = [credential.vault.key] if credential.vault.key else []
        found = places(segments, seals, beginnings=[f"{PREFIX}{credential.name}/"], keys=keys)
        verdict = _verdict(path, segments, environ, seals)
    except VaultError as wrong:
        verdict = TrailVerdict(path, "not checked", wrong.message)
        return [], verdict, Source(TRAIL, path, f"not read: {wrong.message}")
    return (
        found,
        verdict,
        Source(TRAIL, path, f"{len(found)} lines about this credential, on {os.uname().nodename}"),
    )


def _verdict(
    path: str, segments: Mapping[str, bytes], environ: Mapping[str, str], seals: Sequence[Seal]
) -> TrailVerdict:
    """Raises: VaultError (a key is missing)."""
    folder = checkpoint_folder(path, environ.get(CHECKPOINTS, "").strip())
    try:
        checkpoints: Mapping[str, bytes] = dict(Folder(folder, CHECKPOINT))
    except VaultError:
        checkpoints = {}
    checks = verify(segments, checkpoints, seals)
    wrong = sum(len(one.findings) for one in checks)
    why = f"{wrong} findings" if wrong else f"nothing is missing or changed in {len(checks)} chains"
    if any(one.chain == PLAIN for one in checks):
        why += "; without a key that only says that nobody was careless"
    return TrailVerdict(path, "wrong" if wrong else "complete", why, tuple(map(_agent, checks)))


def _agent(check: ChainCheck) -> dict[str, object]:
    return {
        "agent": check.agent,
        "chain": check.chain,
        "key": check.key,
        "lines": check.lines,
        "complete_to": check.complete_to,
        "checkpoint": check.checkpoint,
        "checkpoint_at": check.checkpoint_at,
        "findings": [f"{one.file}, line {one.line}: {one.what}" for one in check.findings],
    }


def _versions_in(found: Iterable[Place]) -> list[Version]:
    """The versions whose records the trail saw being made."""
    return [
        Version(name.epoch, name.written.isoformat(), TRAIL, name.attempt, by=place.who)
        for place in found
        if place.operation == "create_secret" and place.outcome == "ok"
        for secret_id, key in place.secrets
        if (name := read_record_key(secret_id, key)) is not None and not name.kind
    ]


def _by_version(found: Sequence[Place], outcomes: Sequence[Document]) -> dict[int, list[TrailPlace]]:
    """The lines of each version: its record made, CURRENT written, its record deleted."""
    placed: defaultdict[int, list[TrailPlace]] = defaultdict(list)
    versions: dict[str, int] = {}
    moments = list(_promotions(outcomes))
    for place in found:
        for secret_id, key in place.secrets:
            name = read_record_key(secret_id, key)
            if name is not None and not name.kind and secret_id:
                versions[secret_id] = name.epoch
    for place in found:
        if place.outcome in {"sent", "not_sent"}:
            continue
        if place.operation == "delete_secrets":
            for version in sorted({versions[one] for one, _ in place.secrets if one in versions}):
                placed[version].append(_told(place, "record deleted"))
        elif place.operation in _WRITES:
            about = _about(place, moments)
            if about is not None:
                placed[about].append(_told(place, _what(place)))
    return placed


def _about(place: Place, moments: Sequence[tuple[datetime, int]]) -> int | None:
    """The version whose record it is, or that was made CURRENT at that time."""
    for secret_id, key in place.secrets:
        name = read_record_key(secret_id, key)
        if name is not None:
            return None if name.kind else name.epoch
    at = read_moment(place.at)
    near = [(abs(done - at), version) for done, version in moments if at is not None]
    return min((one for one in near if one[0] <= _SLACK), default=(None, None))[1]


def _what(place: Place) -> str:
    is_record = any(key.startswith(PREFIX) for _, key in place.secrets)
    word = _WRITES["create_secret" if is_record else "update_secret"]
    return word if place.outcome == "ok" else f"{word}: {place.outcome}"


def _promotions(outcomes: Sequence[Document]) -> Iterable[tuple[datetime, int]]:
    """When each version was seen to have become CURRENT, right after it was written."""
    for step in (step for one in outcomes for step in steps(one) if shows(step) is Shows.PROMOTED):
        at, version = read_moment(step.get("at")), version_in(step)
        if at is not None and version is not None:
            yield at, version


def _told(place: Place, what: str) -> TrailPlace:
    return TrailPlace(what, place.at, place.segment, place.line, place.sequence, place.digest, place.fits)


def _readers_in(
    found: Sequence[Place], credential: Credential, project: str | None, moment: datetime | None
) -> list[ReaderTold]:
    """Everybody to whom the agents of this trail gave CURRENT."""
    given: defaultdict[str, list[str]] = defaultdict(list)
    for place in found:
        at = read_moment(place.at)
        is_in_place = project in (None, place.project.lower())
        is_current = is_in_place and any(key == credential.vault.key for _, key in place.secrets)
        is_asked = moment is None or (at is not None and at >= moment)
        if place.operation in _READS and place.outcome == "ok" and is_current and is_asked:
            given[place.who or "a process without a name"].append(place.at)
    return [ReaderTold(who, None, len(at), min(at), max(at), TRAIL) for who, at in sorted(given.items())]
