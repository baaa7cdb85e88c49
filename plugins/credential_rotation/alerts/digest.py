"""The daily digest: what is overdue, stuck, paused or long open, in one message; none where nothing is.

Rules this file keeps:
- It ends with a whole line and with how many more there are: what it shows was told, and nothing else was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from credential_rotation.alerts.blocks import context, footer, header, labelled, length, safe
from credential_rotation.alerts.incident import RUNS, Incident
from credential_rotation.alerts.message import Message
from credential_rotation.planning.watchdog import Finding

MOST_SHOWN = 40
LONG = timedelta(days=1)
_ROOM = 2500
_LONGEST = 900
_BESIDES = 150
"""Room for the headline and for how many more there are."""


def digest_message(found: Sequence[Finding], *, deployment: str | None, run: str) -> Message | None:
    """The message; None where there is nothing to say."""
    if not found:
        return None
    words = f"{len(found)} thing{'s' if len(found) > 1 else ''} to see to"
    shown = those_shown(found)
    lines = [_line(finding) for finding in shown]
    if len(found) > len(shown):
        lines.append(f"and {len(found) - len(shown)} more: the log of rotation_watchdog has all of them")
    text = "\n".join(lines)
    return Message(
        text=safe(f"Credentials: {words}\n{text}", _ROOM),
        blocks=(
            header("Credentials", words),
            *labelled("Daily digest", text, _ROOM),
            context(footer(deployment, f"run {run}")),
        ),
    )


def those_shown(found: Sequence[Finding]) -> Sequence[Finding]:
    """As many, from the first on, as there is room for."""
    left = _ROOM - _BESIDES
    for place, finding in enumerate(found[:MOST_SHOWN]):
        left -= length(_line(finding)) + 1
        if left < 0:
            return found[: max(place, 1)]
    return found[:MOST_SHOWN]


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
    line = f"• {finding.name}{owner}: {finding.what}" if finding.name else f"• {finding.what}"
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
