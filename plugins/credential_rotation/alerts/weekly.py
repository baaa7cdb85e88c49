"""The weekly summary: what was rotated, what was not, and what comes, in one message.

Rules this file keeps:
- On Monday's run of the watchdog, or on the first one after seven days; the first run ever only begins
  a week.
- It is sent also when all is well: somebody who gets it knows that the watchdog runs.
- The audit trail's checkpoints stand in it, so that a copy is kept where nobody on the host can change it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bitwarden_vault.audit.places import CHECKPOINT
from bitwarden_vault.audit.settings import CHECKPOINT as CHECKPOINTS
from bitwarden_vault.audit.settings import PATH, checkpoint_folder
from bitwarden_vault.state_folder import StateFolder, StateUnavailable, state_folder
from credential_rotation.alerts.blocks import context, footer, header, labelled, safe
from credential_rotation.alerts.incident import Incident
from credential_rotation.alerts.message import Message, names_within
from credential_rotation.alerts.people import DEPLOYMENT
from credential_rotation.alerts.slack import NotSent, Sent
from credential_rotation.alerts.telling import Teller
from credential_rotation.model import UNMANAGED_EPOCH, Credential
from credential_rotation.planning.planning import Known, begun, in_use
from credential_rotation.times.schedule import falls_due

WEEK = timedelta(days=7)
DAY = timedelta(days=1)
_LAST = "weekly_summary"
_ROOM = 1500
_DRIFTED = "broken"


@dataclass(frozen=True, slots=True)
class Week:
    """Names of credentials, by what the last week did to them and the next one has for them."""

    rotated: tuple[str, ...]
    overdue: tuple[str, ...]
    drifted: tuple[str, ...]
    coming: tuple[str, ...]
    """With their days."""
    begun: tuple[str, ...] = ()
    """A new version is there, and the names in the vault do not tell whether it is in use."""
    checkpoints: tuple[str, ...] = ()


def tell_week(
    teller: Teller,
    environ: Mapping[str, str],
    credentials: Sequence[Credential],
    known: Mapping[str, Known],
    *,
    run: str,
) -> Sent | NotSent | None:
    """Send the summary if it is time; None where it is not. What was not sent is tried on the next day."""
    folder, now = state_folder(environ), teller.now
    if not is_time(folder, now):
        return None
    week = week_of(credentials, known, teller.book.all(), now, checkpoints_in(environ))
    sent = teller.say(weekly_message(week, deployment=environ.get(DEPLOYMENT), run=run), "weekly")
    if isinstance(sent, Sent) or not sent.is_configured:
        was_sent(folder, now)
    return sent


def is_time(folder: StateFolder, now: datetime) -> bool:
    """Whether a summary is to be sent; begins the first week where nobody knows of one."""
    try:
        document = folder.read(_LAST)
        last = datetime.fromisoformat(str((document or {}).get("sent")))
        return now - last >= WEEK or (now.weekday() == 0 and now - last >= DAY)
    except StateUnavailable:
        return False
    except (ValueError, TypeError):
        was_sent(folder, now)
        return False


def was_sent(folder: StateFolder, now: datetime) -> None:
    """A new week begins."""
    try:
        folder.write(_LAST, {"sent": now.isoformat()})
    except StateUnavailable:
        return


def week_of(
    credentials: Sequence[Credential],
    known: Mapping[str, Known],
    incidents: Iterable[Incident],
    now: datetime,
    checkpoints: Sequence[str] = (),
) -> Week:
    """What there is to tell; pure but for what was read before."""

    def those(
        are: Callable[[datetime, datetime | None], bool],
    ) -> list[tuple[str, datetime | None]]:
        found = []
        for one in credentials:
            own = in_use(one, known[one.name])
            if own is not None and own.epoch != UNMANAGED_EPOCH:
                due = falls_due(one.policy, own.written) if not one.policy.pause else None
                if are(own.written, due):
                    found.append((one.name, due))
        return found

    rotated = those(lambda written, _: now - written <= WEEK)
    overdue = those(lambda _, due: due is not None and due + DAY < now)
    coming = those(lambda _, due: due is not None and now <= due <= now + WEEK)
    still = [incident for incident in incidents if not incident.proof]
    drifted = {m.name for incident in still for m in incident.members if m.outcome == _DRIFTED}
    coming.sort(key=lambda pair: str(pair[1]))
    return Week(
        rotated=tuple(name for name, _ in rotated),
        overdue=tuple(name for name, _ in overdue),
        drifted=tuple(sorted(drifted)),
        coming=tuple(f"{name} ({due:%a %d %b})" for name, due in coming if due),
        begun=tuple(one.name for one in credentials if begun(one, known[one.name])),
        checkpoints=tuple(checkpoints),
    )


def weekly_message(week: Week, *, deployment: str | None, run: str) -> Message:
    """One message, within Slack's limits whatever the names."""
    groups = (
        ("Rotated in the last seven days", week.rotated),
        *([("Begun: in grace, or not finished", week.begun)] if week.begun else []),
        ("Overdue", week.overdue),
        ("Refused where they are used", week.drifted),
        ("Due in the next seven days", week.coming),
    )
    words = ", ".join(
        f"{len(names)} {word}"
        for names, word in zip(
            (week.rotated, week.overdue, week.drifted, week.coming),
            ("rotated", "overdue", "drifted", "due next week"),
            strict=True,
        )
    )
    shown = [
        block
        for label, names in groups
        for block in labelled(f"{label}: {len(names)}", names_within(names, _ROOM) if names else "none")
    ]
    if week.checkpoints:
        shown += labelled("Checkpoints of the audit trail", "\n".join(week.checkpoints[:10]), _ROOM)
    return Message(
        text=safe(f"Credentials this week: {words}", _ROOM),
        blocks=(
            header("Credentials this week", words),
            *shown,
            context(footer(deployment, f"run {run}")),
        ),
    )


def checkpoints_in(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The audit trail's newest checkpoints, one for each agent; none where there is no trail."""
    path, named = (environ.get(one, "").strip() for one in (PATH, CHECKPOINTS))
    if not (path or named):
        return ()
    try:
        files = [
            one for one in Path(checkpoint_folder(path, named)).iterdir() if one.name.endswith(CHECKPOINT)
        ]
        read = [json.loads(one.read_text(encoding="utf-8")) for one in files]
        newest = sorted(read, key=lambda one: str(one["at"]), reverse=True)
        return tuple(
            f"{one['agent']}: line {one['sequence']} at {one['at']}, {one['before'][:16]}" for one in newest
        )
    except (OSError, ValueError, KeyError, TypeError):
        return ()
