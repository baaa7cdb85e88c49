"""What an incident's thread says beside the failures themselves: how many, since when, and that it is over.

Rules this file keeps:
- Every message of an incident carries its id: a webhook has no threads to hold it together.
- However many credentials fail, one message names them, within Slack's limits.
- The first message always says how things are now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from credential_rotation.alerts.blocks import (
    Block,
    context,
    facts,
    header,
    labelled,
    link_to,
    safe,
)
from credential_rotation.alerts.incident import RUNS, Incident, Member
from credential_rotation.alerts.message import Message, names_within
from credential_rotation.alerts.run import Run
from credential_rotation.alerts.situation import REVOKE_AGAIN, moment

MOST_KINDS = 8
"""Further kinds of failure share one heading: Slack takes fifty blocks."""
_OTHERS = "fail in other ways"
_NAMES_ROOM = 1500
_HOW_MANY_MORE = 100
"""Room for the end of a list of names that does not fit."""
_TEXT_ROOM = 1500
_REMOVED = "no entry has this name any more; what still exists of it is for a person to see to"


def storm_message(members: Sequence[Member], run: Run) -> Message:
    """Many failures at once: how many of each kind, and which."""
    groups: dict[str, list[str]] = {}
    for one in members:
        kind = one.words if one.words in groups or len(groups) < MOST_KINDS else _OTHERS
        groups.setdefault(kind, []).append(one.name)
    lockouts = sum(one.urgency == 0 for one in members)
    many = "credential needs" if len(members) == 1 else "credentials need"
    words = f"{len(members)} {many} a person" + (f" — {lockouts} of them locked out" if lockouts else "")
    counts = "; ".join(f"{len(names)} {kind}" for kind, names in groups.items())
    next_step = (
        "So many at once mostly have one cause: look at the worst first, they are told one by one. "
        "Then run the DAG again; `python -m credential_rotation status` tells what is left."
    )
    shown: list[Block] = []
    room = _NAMES_ROOM // len(groups)
    for kind, names in groups.items():
        shown += labelled(f"{len(names)} {kind}", names_within(names, room), room + _HOW_MANY_MORE)
    return Message(
        text=safe("\n".join((f"{run.work.capitalize()}: {words}", counts, f"Next: {next_step}")), _TEXT_ROOM),
        blocks=(
            header(run.work.capitalize(), words),
            *shown,
            *labelled("What to do next", next_step),
            *link_to(run.link, "Open the run"),
            context(run.where),
        ),
    )


def beside_message(message: Message, revocation: Member, words: str) -> Message:
    """An ordinary failure, told below the revocation that is not finished."""
    _, *rest = message.blocks
    return Message(
        text=safe(f"{revocation.name}: {revocation.words}\n{message.text}", _TEXT_ROOM),
        blocks=(
            header(revocation.name, revocation.words),
            *labelled("What ends it", REVOKE_AGAIN),
            *labelled("Besides", words),
            *rest,
        ),
    )


def first_of(message: Message, incident: Incident) -> Message:
    """What opens a thread."""
    return _more(message, f"incident {incident.id}")


def later_of(message: Message, incident: Incident) -> Message:
    """What is told when something changes."""
    since = f"since {_moment(incident.opened)}, met {_times(incident.count)}"
    return _more(message, f"incident {incident.id} · {since}")


def now_of(message: Message, incident: Incident, *, is_same: bool) -> Message:
    """The first message, as it reads after one more run."""
    kept = "Still the same since" if is_same else "Open since"
    line = f"{kept} {_moment(incident.opened)}: met {_times(incident.count)}, last {_moment(incident.last)}"
    head, *rest = message.blocks
    return _more(replace(message, blocks=(head, context(line), *rest)), f"incident {incident.id}")


def resolved_message(incident: Incident, run: Run) -> Message:
    """It is over: what it was, how long it took, and what proves it."""
    called, was = _called(incident), incident.members[0].words
    took, proof = written(incident.last - incident.opened), incident.proof
    is_gone = proof == _REMOVED
    words = f"{'no longer watched,' if is_gone else 'resolved'} after {took}"
    owners = sorted({run.owners[name] for name in incident.names if name in run.owners})
    link = next((run.links[name] for name in incident.names if name in run.links), run.link)
    return Message(
        text=safe(f"{called}: {words}\n{proof}\nIt was: {was}", _TEXT_ROOM),
        blocks=(
            header(called, words if is_gone else f"✅ {words}"),
            facts(
                ("It was", was),
                ("Why" if is_gone else "What proves it", proof),
                ("Since", _moment(incident.opened)),
                ("Met", _times(incident.count)),
                *((("Whose", names_within(owners, 200)),) if owners else ()),
            ),
            *link_to(link, "Open the log"),
            context(f"{run.where} · incident {incident.id}"),
        ),
    )


def proof_of(incident: Incident, run: Run) -> str:
    """What ended it; of many, the last ones."""
    said = [one for one in map(run.outcome, incident.names) if one is not None]
    if not said and not run.removed.isdisjoint(incident.names):
        return _REMOVED
    if not said:
        return "a plan was made again, and nothing of it is missing"
    first = f"{said[0]['outcome']}, {said[0]['reason']}"
    return first if len(said) == 1 else f"{said[0]['name']}: {first}; and {len(said) - 1} more"


def slack_missed(message: Message, missed: tuple[int, datetime] | None) -> Message:
    """The same message, which also says that Slack has not heard everything."""
    if missed is None:
        return message
    times, since = missed
    said = f"Slack could not be told {_times(times)} since {_moment(since)}; the reports' logs have all of it"
    return _more(message, said)


def written(took: timedelta) -> str:
    """A length of time as people say it."""
    minutes = max(1, int(took.total_seconds() // 60))
    if minutes < 120:  # noqa: PLR2004 - under two hours the minutes matter
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    hours = minutes // 60
    return f"{hours} hours" if hours < 48 else f"{hours // 24} days"  # noqa: PLR2004 - under two days the hours do


def _called(incident: Incident) -> str:
    if len(incident.members) > 1:
        return f"{len(incident.members)} credentials"
    return incident.members[0].name.removeprefix(f"{RUNS}/")


def _more(message: Message, line: str) -> Message:
    return replace(message, blocks=(*message.blocks, context(line)))


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _moment(at: datetime) -> str:
    return moment(at.isoformat())
