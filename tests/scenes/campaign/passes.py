"""What a person or a schedule may run on a credential, and what has to be there before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from unittest import mock

from credential_rotation import wiring
from credential_rotation.attempt import persevere
from credential_rotation.engines.aws_iam import propagation as aws_iam_propagation
from credential_rotation.journal.claims import LASTS, ClaimMutex
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Request
from credential_rotation.wiring import Deployment, open_deployment

SETTLED = timedelta(minutes=16)
OVER = timedelta(days=3)
"""Past grace, or past soak when it comes twice."""
SHORT = timedelta(seconds=0.15)
"""Between a claim and the look at it: stand-ins on one machine need no two seconds."""
UNCLAIMED = LASTS + timedelta(minutes=1)
BY = "the campaign"


@dataclass(frozen=True)
class Pass:
    """One pass over a credential."""

    run: str
    """The key of `RUNS`."""
    before: tuple[str, ...] = ()
    """What is run first, undisturbed: keys of `RUNS`, or `by hand` for a person's change."""
    later: timedelta = timedelta(0)
    """When it runs, after what was before."""
    is_over_between: bool = True
    """Whether grace and soak are over before it."""


PASSES: Mapping[str, Pass] = {
    "first rotation": Pass("rotate"),
    "rotation": Pass("rotate", ("rotate",)),
    "retire": Pass("repair", ("rotate", "rotate"), OVER, is_over_between=False),
    "deletion": Pass("repair", ("rotate", "rotate", "end of grace"), 2 * OVER, is_over_between=False),
    "rollback": Pass("rollback", ("rotate", "rotate"), SETTLED, is_over_between=False),
    "adopt": Pass("adopt", ("rotate", "by hand"), SETTLED),
    "revoke": Pass("revoke", ("rotate",)),
}


def _rotate(deployment: Deployment, name: str, asked: datetime) -> Outcome:
    return deployment.rotate(deployment.entry(name), Request(at=asked, by=BY, now=True))


def _repair(deployment: Deployment, name: str, asked: datetime) -> Outcome:  # noqa: ARG001 - as the others
    return deployment.rotate(deployment.entry(name), None)


def _roll_back(deployment: Deployment, name: str, asked: datetime) -> Outcome:  # noqa: ARG001 - as the others
    return deployment.rollback(deployment.entry(name), "a report broke")


def _adopt(deployment: Deployment, name: str, asked: datetime) -> Outcome:  # noqa: ARG001 - as the others
    return deployment.adopt(deployment.entry(name), take_over=False)


def _revoke(deployment: Deployment, name: str, asked: datetime) -> Outcome:
    wish = Request(at=asked, by=BY, now=True, force=True, revoke=True, reason="seen in a chat")
    return deployment.rotate(deployment.entry(name), wish)


RUNS: Mapping[str, Callable[[Deployment, str, datetime], Outcome]] = {
    "rotate": _rotate,
    "repair": _repair,
    "rollback": _roll_back,
    "adopt": _adopt,
    "revoke": _revoke,
}


def run(
    what: str, name: str, environ: Mapping[str, str], *, asked: datetime | None = None, later: timedelta
) -> Outcome:
    """One run as a process makes it, on a clock that is so much ahead, and with short pauses."""
    with _short_pauses():
        deployment = open_deployment(environ)
        deployment.clock = lambda: datetime.now(timezone.utc) + later
        return RUNS[what](deployment, name, asked or deployment.clock())


@contextmanager
def _short_pauses() -> Iterator[None]:
    """Where nothing is late, nothing is waited for in vain; whoever runs after us waits as ever."""
    with (
        mock.patch.object(persevere, "WAITS", (0.0, 0.0, 0.0)),
        mock.patch.object(aws_iam_propagation, "RUN", 2),
        mock.patch.object(aws_iam_propagation, "_SHORTEST", 0.01),
        mock.patch.object(wiring, "ClaimMutex", partial(ClaimMutex, delta=SHORT)),
    ):
        yield
