"""What Slack is told of a failure: understood by a tired person in ten seconds.

Rules this file keeps:
- The headline says what failed and what still works; the log is one click away.
- Everything shown comes from an outcome, which never holds a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from credential_rotation.alerts.blocks import Block, context, facts, footer, header, labelled, link_to, safe
from credential_rotation.alerts.situation import Situation, moment, situation
from credential_rotation.outcome import OutcomeDict

_TEXT_ROOM = 1500
_READING_ROOM = 1200
"""Nobody reads more at night; the log has all of it."""
_NAMES_ROOM = 1500


@dataclass(frozen=True, slots=True)
class Message:
    """One Slack message: the blocks, and the text that notifications show instead."""

    text: str
    blocks: tuple[Block, ...]


def failure_message(  # noqa: PLR0913 - each is a line of the message, all by name
    outcome: OutcomeDict,
    *,
    link: str | None,
    deployment: str | None,
    owner: str,
    run: str,
    work: str = "rotation",
    act_by: str | None = None,
) -> Message:
    """One credential that needs a person. `work` is what was done: rotation, check, retirement.

    `act_by` is when its policy's promise breaks.
    """
    told = situation(outcome, work)
    version = outcome["version"]
    reason = outcome["reason"].removeprefix(f"{outcome['name']}: ")
    kind = f"{outcome['engine']} {outcome['strategy']}".strip()
    where = footer(
        deployment, kind, None if version is None else f"version {version} is current", f"run {run}"
    )
    return Message(
        text=_text(f"{outcome['name']}: {told.words}", reason, f"Next: {told.next_step}"),
        blocks=(
            header(outcome["name"], told.words),
            facts(
                (f"Old {told.thing}", told.old),
                (f"New {told.thing}", told.new),
                ("Heals by itself?", told.heals),
                *_deadline(told, act_by),
                ("Who acts", owner),
            ),
            *labelled("What happened", reason, _READING_ROOM),
            *labelled("What to do next", told.next_step, _READING_ROOM),
            *link_to(link, "Open the log"),
            context(where),
        ),
    )


def run_message(  # noqa: PLR0913 - each is a line of the message, all by name
    *,
    planned: int,
    missing: Sequence[str],
    link: str | None,
    deployment: str | None,
    run: str,
    why: str = "",
    work: str = "rotation",
) -> Message:
    """A run with planned credentials that nobody can tell of: killed, timed out, or never started."""
    words = (
        f"{len(missing)} of {planned} planned credentials have no outcome" if missing else "the run failed"
    )
    reason = why or "Their tasks were killed, timed out or never started, and nobody reported what they did."
    next_step = (
        "Open the log for the cause, then run the DAG again: it asks what works and finishes what was begun. "
        "Whatever was being set is written down in Bitwarden, so nothing is lost."
    )
    return Message(
        text=_text(f"{work.capitalize()}: {words}", reason, f"Next: {next_step}"),
        blocks=(
            header(work.capitalize(), words),
            facts(
                ("Old values", "❓ not known"),
                ("New values", "❓ not known"),
                ("Heals by itself?", "Maybe: every run tries again"),
                ("Who acts", "who runs this Airflow"),
            ),
            *labelled("What happened", reason, _READING_ROOM),
            *(labelled("Without an outcome", names_within(missing)) if missing else ()),
            *labelled("What to do next", next_step),
            *link_to(link, "Open the run"),
            context(footer(deployment, f"run {run}")),
        ),
    )


def _deadline(told: Situation, act_by: str | None) -> tuple[tuple[str, str], ...]:
    """By when somebody has to act, should it not heal by itself."""
    if told.is_lockout:
        return (("Act by", "now: who reads it cannot log in"),)
    return (("Act by", f"{moment(act_by)}, the end of its policy"),) if act_by else ()


def names_within(names: Sequence[str], room: int = _NAMES_ROOM) -> str:
    """As many names as there is room for, and how many more there are."""
    shown: list[str] = []
    for name in names:
        if shown and sum(map(len, shown)) + 2 * len(shown) + len(name) > room:
            return f"{', '.join(shown)} and {len(names) - len(shown)} more"
        shown.append(name)
    return ", ".join(shown)


def _text(*parts: str) -> str:
    return safe("\n".join(part for part in parts if part), _TEXT_ROOM)
