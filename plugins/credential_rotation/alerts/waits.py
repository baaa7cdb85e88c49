"""Tells who asked by hand that it waits: scheduled runs do not know of their wish.

Rules this file keeps:
- However many, within one message's limits.
"""

from __future__ import annotations

from collections.abc import Sequence

from credential_rotation.alerts.blocks import context, header, labelled, link_to, safe
from credential_rotation.alerts.message import Message, names_within
from credential_rotation.alerts.run import Run
from credential_rotation.alerts.sharing import MOST_ALONE
from credential_rotation.alerts.telling import Teller
from credential_rotation.outcome import OutcomeDict

KIND = "waiting"
ASK_AGAIN = "Scheduled runs do not know what was asked for by hand: trigger it again if it is still wanted."
_MOST_REASONS = 4
_ROOM = 1200


def tell_waits(teller: Teller, run: Run, waits: Sequence[OutcomeDict]) -> None:
    """One message for each, or one for all where they are many."""
    if len(waits) > MOST_ALONE + 1:
        names = [one["name"] for one in waits]
        teller.say(waits_message(waits, run), KIND, credentials=names, run=run.run, link=run.link)
        return
    for one in waits:
        message = run.about({**one, "next_step": f"{one['next_step']} {ASK_AGAIN}".strip()})
        teller.say(message, KIND, credentials=[one["name"]], run=run.run, link=run.link)


def waits_message(waits: Sequence[OutcomeDict], run: Run) -> Message:
    """How many, why, which, and what to do next."""
    reasons: dict[str, list[str]] = {}
    for one in waits:
        why = one["reason"] if one["reason"] in reasons or len(reasons) < _MOST_REASONS else "other reasons"
        reasons.setdefault(why, []).append(one["name"])
    asks = dict.fromkeys(one["next_step"] for one in waits if one["next_step"])
    next_step = " ".join((*list(asks)[:_MOST_REASONS], ASK_AGAIN))
    words = f"{len(waits)} credentials that were asked for wait"
    told = "\n".join(f"{why}: {names_within(names, _ROOM // len(reasons))}" for why, names in reasons.items())
    return Message(
        text=safe(f"{run.work.capitalize()}: {words}\n{told}\nNext: {next_step}", _ROOM),
        blocks=(
            header(run.work.capitalize(), words),
            *labelled("Why, and which", told, _ROOM * 2),
            *labelled("What to do next", next_step),
            *link_to(run.link, "Open the run"),
            context(run.where),
        ),
    )
