"""One command about several credentials, one after the other: what is kept of it, printed, and over by it.

Rules this file keeps:
- What is done is kept at once and printed, also where Ctrl-C or a crash ends the rest.
- A dry run changes nothing and proves nothing: nothing of it is kept, and it ends no incident.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from credential_rotation import wiring
from credential_rotation.alerts.people import DEPLOYMENT, teller_of
from credential_rotation.alerts.revoked import tell_revoked
from credential_rotation.alerts.run import Run
from credential_rotation.alerts.situation import REVOCATION
from credential_rotation.cli import output
from credential_rotation.cli.run import who
from credential_rotation.inventory.inventory import Problem
from credential_rotation.model import Credential
from credential_rotation.outcome import Outcome
from credential_rotation.state.history import Asked, is_kept, keep_command_run, keep_outcome

Chosen = tuple[tuple[Credential, ...], tuple[Problem, ...]]

REVOKING, LOOKING = "revoking", "looking at"
_WORK = {"verifying": "check", "repairing": "retirement", REVOKING: REVOCATION}
"""What the DAGs' reports call it."""
NOT_KEPT = (
    "note: the reason is not kept: set ROTATION_STATE_PATH to the folder that scheduler and workers use, and "
    "history and evidence know of what is done here"
)


def each(
    chosen: Chosen,
    doing: str,
    run: Callable[[Credential], Outcome],
    *,
    as_json: bool,
    why: str | None = None,
) -> int:
    """Do it to each of them, `doing` what the words say; the exit status."""
    credentials, problems = chosen
    asked = Asked(by=who(), why=why, compromise=doing == REVOKING)
    outcomes: list[Outcome] = []
    keeps = doing != LOOKING and is_kept(os.environ)
    try:
        for position, credential in enumerate(credentials, 1):
            output.progress(f"[{position}/{len(credentials)}] {doing} {credential.name}")
            outcomes.append(run(credential))
            if keeps:
                keep_outcome(os.environ, credential, outcomes[-1], asked, now=wiring.now())
    except BaseException:
        if keeps:
            _keep_run(credentials, outcomes, asked)
        _say_who_is_left([one.name for one in credentials[len(outcomes) :]])
        if outcomes:
            output.show(outcomes, problems, as_json=as_json)
        raise
    if keeps:
        _keep_run(credentials, outcomes, asked)
    elif why and doing != LOOKING:
        output.progress(NOT_KEPT)
    if doing != LOOKING:
        _end_incidents(outcomes, _WORK.get(doing, "rotation"), why=why)
    return output.show(outcomes, problems, as_json=as_json)


def _keep_run(credentials: Sequence[Credential], outcomes: Sequence[Outcome], asked: Asked) -> None:
    keep_command_run(os.environ, credentials[: len(outcomes)], outcomes, asked, now=wiring.now())


def _say_who_is_left(left: Sequence[str]) -> None:
    """After Ctrl-C or a crash: whom it met, and who was not begun."""
    if left:
        met = f"what became of {left[0]} is not known, and `retire {left[0]}` finishes what was begun"
        others = f"; nothing was done about {', '.join(left[1:])}" if left[1:] else ""
        output.progress(f"ended early: {met}{others}")


def _end_incidents(outcomes: Sequence[Outcome], work: str, *, why: str | None) -> None:
    """What is proved here is over for Slack too; failures are told to whoever sits at this terminal."""
    proved = tuple(one.as_dict() for one in outcomes if one.is_done)
    if proved:
        run = Run(work, who(), proved, deployment=os.environ.get(DEPLOYMENT), by=who(), why=why)
        teller = teller_of(os.environ)
        teller.close(run)
        tell_revoked(teller, run)
