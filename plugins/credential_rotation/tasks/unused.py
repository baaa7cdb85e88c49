"""Credentials that nobody has read for long: perhaps nobody needs them, and they are a risk for nothing.

Rules this file keeps:
- Only of those that somebody was seen to read before: who never asks our agents is not known, and unknown is
  not unused. So nothing is said where hosts share no folder, or where a document of it cannot be understood.
- At most once a week, and only what was told counts: what there was no room for comes on the next days.
- The target's own "last used" says nothing here: the daily proof logs in with the same value.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from bitwarden_vault.readers.last_used import FOLDER, SCHEMA
from bitwarden_vault.state_folder import StateFolder, StateUnavailable, state_folder
from bitwarden_vault.state_settings import PATH
from credential_rotation.errors import RotationError
from credential_rotation.model import Credential
from credential_rotation.planning.watchdog import Finding
from credential_rotation.state.confirmations import by_hand
from credential_rotation.wiring import Deployment

WEEK = timedelta(days=7)
_TOLD = "watchdog/unused"
_AT_A_TIME = 16
_Place = tuple[str, str]
"""A secret by its id, or by project and key."""


def unused_to_tell(deployment: Deployment, credentials: Sequence[Credential]) -> list[Finding]:
    """One for each; none where it is not known, is switched off, or was told less than a week ago.

    Of a week that has begun, those for which the digest had no room.
    """
    after, folder, now = (
        deployment.settings.unused_after,
        state_folder(deployment.environ),
        deployment.clock(),
    )
    if after is None or not deployment.environ.get(PATH, "").strip():
        return []
    try:
        _, left = _told(folder, now)
        last_uses = {} if left == [] else _last_uses(deployment, folder)
    except StateUnavailable:
        return []
    found = []
    for one in credentials if left is None else [one for one in credentials if one.name in left]:
        last = last_uses.get(_place(deployment, one))
        is_read_elsewhere = bool(by_hand(one))
        if last is not None and now - last > after and not is_read_elsewhere:
            found.append(
                Finding(one.name, f"not read since {last:%Y-%m-%d} by anybody who is known", one.owner)
            )
    return found


def unused_was_told(deployment: Deployment, found: Sequence[Finding], shown: Collection[Finding]) -> None:
    """A week of silence about those that were shown begins; where that cannot be kept, it is told again."""
    if not found:
        return
    folder, left = state_folder(deployment.environ), [one.name for one in found if one not in shown]
    try:
        since, _ = _told(folder, deployment.clock())
        began = since or deployment.clock()
        folder.write(_TOLD, {"told": began.isoformat(), "left": left})
    except StateUnavailable:
        return


def _told(folder: StateFolder, now: datetime) -> tuple[datetime | None, list[str] | None]:
    """When this week began, and who was left for its next days; None where a new one is to begin."""
    document = folder.read(_TOLD) or {}
    last, left = _moment(document.get("told")), document.get("left")
    if last is None or now - last >= WEEK:
        return None, None
    return last, [str(name) for name in left] if isinstance(left, list) else []


def _last_uses(deployment: Deployment, folder: StateFolder) -> dict[_Place, datetime]:
    """When each secret was last read; nothing where somebody may be missing. Raises: StateUnavailable."""
    documents, unknown = deployment.readers.documents()
    if unknown:
        return {}
    found: dict[_Place, datetime] = {}
    now = deployment.clock()
    living = {one.secret for document in documents for one in document.readers}
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        uses = list(pool.map(folder.read, folder.names(FOLDER)))
    for use in (one or {} for one in uses):
        last = now if use.get("secret") in living else _moment(use.get("last"))
        if last is None or use.get("schema") != SCHEMA:
            return {}
        for place in (("", str(use.get("secret"))), (str(use.get("project")), str(use.get("key")))):
            found[place] = max(last, found.get(place, last))
    return found


def _place(deployment: Deployment, credential: Credential) -> _Place:
    if credential.vault.id:
        return "", credential.vault.id.lower()
    try:
        project = deployment.bitwarden.projects.id_of(credential.vault.project, what=credential.name)
    except RotationError:
        return "", ""
    return project.lower(), credential.vault.key or ""


def _moment(text: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo else None
