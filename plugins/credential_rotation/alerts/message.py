"""What Slack is told of a failure: understood by a tired person in ten seconds.

Rules this file keeps:
- The headline says what failed and what still works; the log is one click away.
- Everything shown comes from an outcome, which never holds a value.
- However many credentials fail in one run, few messages come: the worst by name, the rest in one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from credential_rotation.alerts.blocks import Block, context, facts, header, labelled, link_to, safe
from credential_rotation.alerts.situation import Situation, moment, needs_a_person, situation
from credential_rotation.outcome import OutcomeDict

MOST_ALONE = 3
"""So many failures of one run get a message each; above that the rest share one more."""

_TEXT_ROOM = 1500
_READING_ROOM = 1200
"""Nobody reads more at night; the log has all of it."""
_NAMES_ROOM = 1500
_MOST_KINDS = 8
"""Further kinds of failure share one heading: Slack takes fifty blocks."""
_OTHERS = "fail in other ways"


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
    kind = f"{outcome['engine']} {outcome['strategy']}"
    where = _line(
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
            *(labelled("Without an outcome", _names(missing)) if missing else ()),
            *labelled("What to do next", next_step),
            *link_to(link, "Open the run"),
            context(_line(deployment, f"run {run}")),
        ),
    )


def messages_for(  # noqa: PLR0913 - each is a line of the message, all by name
    outcomes: Iterable[OutcomeDict],
    *,
    links: Mapping[str, str],
    owners: Mapping[str, str],
    run_link: str | None,
    deployment: str | None,
    run: str,
    work: str = "rotation",
    act_by: Mapping[str, str] | None = None,
) -> tuple[Message, ...]:
    """All that one run has to tell, the worst first; nothing where nobody has to act.

    `links`, `owners` and `act_by` go by credential name: its task's log, who has to act, and by when.
    """
    told = [(situation(one, work), one) for one in outcomes if needs_a_person(one)]
    told.sort(key=lambda pair: (pair[0].urgency, pair[1]["name"]))
    alone, rest = (told, []) if len(told) <= MOST_ALONE + 1 else (told[:MOST_ALONE], told[MOST_ALONE:])
    messages = [
        failure_message(
            one,
            link=links.get(one["name"], run_link),
            deployment=deployment,
            owner=owners.get(one["name"], "not known"),
            run=run,
            work=work,
            act_by=(act_by or {}).get(one["name"]),
        )
        for _, one in alone
    ]
    if rest:
        messages.append(_rest(rest, work, run_link, _line(deployment, f"run {run}")))
    return tuple(messages)


def _deadline(told: Situation, act_by: str | None) -> tuple[tuple[str, str], ...]:
    """By when somebody has to act, should it not heal by itself."""
    if told.is_lockout:
        return (("Act by", "now: who reads it cannot log in"),)
    return (("Act by", f"{moment(act_by)}, the end of its policy"),) if act_by else ()


def _rest(told: Sequence[tuple[Situation, OutcomeDict]], work: str, link: str | None, where: str) -> Message:
    """The message that many failures share: how many of each kind, and which."""
    groups: dict[str, list[str]] = {}
    for one, outcome in told:
        kind = one.words if one.words in groups or len(groups) < _MOST_KINDS else _OTHERS
        groups.setdefault(kind, []).append(outcome["name"])
    lockouts = sum(one.is_lockout for one, _ in told)
    words = f"{len(told)} more need a person" + (f" — {lockouts} of them locked out" if lockouts else "")
    counts = "; ".join(f"{len(names)} {kind}" for kind, names in groups.items())
    next_step = (
        "So many at once mostly have one cause: look at the messages above first. "
        "Then run the DAG again; `python -m credential_rotation status` tells what is left."
    )
    shown: list[Block] = []
    for kind, names in groups.items():
        shown += labelled(f"{len(names)} {kind}", _names(names, _NAMES_ROOM // len(groups)))
    return Message(
        text=_text(f"{work.capitalize()}: {words}", counts, f"Next: {next_step}"),
        blocks=(
            header(work.capitalize(), words),
            *shown,
            *labelled("What to do next", next_step),
            *link_to(link, "Open the run"),
            context(where),
        ),
    )


def _names(names: Sequence[str], room: int = _NAMES_ROOM) -> str:
    """As many names as there is room for, and how many more there are."""
    shown: list[str] = []
    for name in names:
        if shown and sum(map(len, shown)) + 2 * len(shown) + len(name) > room:
            return f"{', '.join(shown)} and {len(names) - len(shown)} more"
        shown.append(name)
    return ", ".join(shown)


def _text(*parts: str) -> str:
    return safe("\n".join(part for part in parts if part), _TEXT_ROOM)


def _line(*parts: str | None) -> str:
    return " · ".join(part for part in parts if part)
