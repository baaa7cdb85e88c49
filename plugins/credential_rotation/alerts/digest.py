"""The daily digest: what is overdue, stuck, paused or long open, in one message; none where nothing is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from credential_rotation.alerts.blocks import context, header, labelled, safe
from credential_rotation.alerts.incident import RUNS, Incident
from credential_rotation.alerts.message import Message
from credential_rotation.watchdog import Finding

MOST_SHOWN = 40
LONG = timedelta(days=1)
_ROOM = 2500


def digest_message(found: Sequence[Finding], *, deployment: str | None, run: str) -> Message | None:
    """The message; None where there is nothing to say."""
    if not found:
        return None
    words = f"{len(found)} thing{'s' if len(found) > 1 else ''} to see to"
    lines = [_line(finding) for finding in found[:MOST_SHOWN]]
    if len(found) > MOST_SHOWN:
        lines.append(f"and {len(found) - MOST_SHOWN} more: `python -m credential_rotation status` tells all")
    text = "\n".join(lines)
    where = " · ".join(part for part in (deployment, f"run {run}") if part)
    return Message(
        text=safe(f"Credentials: {words}\n{text}", _ROOM),
        blocks=(header("Credentials", words), *labelled("Daily digest", text, _ROOM), context(where)),
    )


def long_open(incidents: Iterable[Incident], now: datetime) -> list[Finding]:
    """Incidents that have waited for a person for a day: changing their first message wakes nobody."""
    found = []
    for one in sorted(incidents, key=lambda one: one.opened):
        if one.proof or now - one.opened < LONG:
            continue
        names = [name.removeprefix(f"{RUNS}/") for name in one.names]
        who = names[0] if len(names) == 1 else f"{len(names)} credentials"
        since = f"open since {one.opened:%Y-%m-%d %H:%M} UTC, met {one.count} times (incident {one.id})"
        found.append(Finding(who, f"{one.members[0].words}; {since}"))
    return found


def _line(finding: Finding) -> str:
    owner = f" ({finding.owner})" if finding.owner else ""
    return f"• {finding.name}{owner}: {finding.what}" if finding.name else f"• {finding.what}"
