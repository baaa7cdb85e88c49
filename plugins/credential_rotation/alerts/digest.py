"""The daily digest: what is overdue, stuck or paused, in one message; none where there is nothing."""

from __future__ import annotations

from collections.abc import Sequence

from credential_rotation.alerts.blocks import context, header, labelled, safe
from credential_rotation.alerts.message import Message
from credential_rotation.watchdog import Finding

MOST_SHOWN = 40
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


def _line(finding: Finding) -> str:
    owner = f" ({finding.owner})" if finding.owner else ""
    return f"• {finding.name}{owner}: {finding.what}" if finding.name else f"• {finding.what}"
