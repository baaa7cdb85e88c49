"""Tells everybody that a value was revoked: work may break for it that nobody else would connect with it.

Rules this file keeps:
- Told once, when it is done; what is not done is an incident.
- However many, within one message's limits.
"""

from __future__ import annotations

from collections.abc import Sequence

from credential_rotation.alerts.blocks import context, facts, header, labelled, link_to, safe
from credential_rotation.alerts.message import Message, names_within
from credential_rotation.alerts.run import Run
from credential_rotation.alerts.sharing import MOST_ALONE
from credential_rotation.alerts.situation import REVOCATION
from credential_rotation.alerts.telling import Teller
from credential_rotation.outcome import OutcomeDict

KIND = "revoked"
NEXT = (
    "Who is named, and whoever keeps the value in memory, is refused from now on: run it again, or restart "
    "it, and it gets the new one. Find out who had the old one: the target's logs tell what was done with it."
)
_ROOM = 1200


def tell_revoked(teller: Teller, run: Run) -> None:
    """One message for each, or one for all where they are many."""
    done = [one for one in run.outcomes if one["outcome"] == KIND]
    groups = [[one] for one in done] if len(done) <= MOST_ALONE + 1 else [done]
    for group in groups:
        names = [one["name"] for one in group]
        teller.say(revoked_message(group, run), KIND, credentials=names, run=run.run, link=run.link)


def _asked(run: Run) -> tuple[tuple[str, str], tuple[str, str]]:
    """Whose word it is; another run may have seen an unfinished one through."""
    if run.work == REVOCATION:
        return ("Asked by", run.by or "not known"), ("Why", run.why or "not told")
    return ("Finished by", run.dag or run.by or "not known"), (
        "Why",
        "an earlier revocation had not got to its end",
    )


def revoked_message(done: Sequence[OutcomeDict], run: Run) -> Message:
    """Who asked, why, what is dead, and whom it breaks."""
    names = [one["name"] for one in done]
    called = names[0] if len(names) == 1 else f"{len(names)} credentials"
    words = "revoked — every value from before is dead"
    happened = "; ".join(
        one["reason"] if len(names) == 1 else f"{one['name']}: {one['reason']}" for one in done
    )
    owners = sorted({run.owners[name] for name in names if name in run.owners})
    link = run.links.get(names[0], run.link) if len(names) == 1 else run.link
    return Message(
        text=safe(f"{called}: {words}\n{happened}\nNext: {NEXT}", _ROOM),
        blocks=(
            header(called, words),
            facts(
                *_asked(run),
                *((("Whose", names_within(owners, 200)),) if owners else ()),
            ),
            *labelled("What happened", happened, _ROOM),
            *(labelled("Which", names_within(names)) if len(names) > 1 else ()),
            *labelled("What to do next", NEXT),
            *link_to(link, "Open the log"),
            context(run.where),
        ),
    )
