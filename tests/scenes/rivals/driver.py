"""Rotations in processes of their own, each of which may stop itself: `python -m scenes.rivals.driver`.

Each line of standard input is a case; the answer is the pid of the fork that plays it. That one
writes the name of each network call into the case's file before it makes it. Before the call that
the case names it stops, as by SIGSTOP from outside, until somebody wakes it. The last line is the outcome.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

from botocore.client import BaseClient

from bitwarden_vault import client
from credential_rotation import wiring
from credential_rotation.attempt import persevere
from credential_rotation.aws_session import bare_session
from credential_rotation.engines.aws_iam import propagation as aws_iam_propagation
from credential_rotation.engines.aws_iam import rotator as aws_iam
from credential_rotation.engines.aws_iam.propagation import Ask
from credential_rotation.engines.postgres import connection as postgres_connection
from credential_rotation.engines.postgres import login as postgres_login
from credential_rotation.engines.postgres import rotator as postgres
from credential_rotation.journal.claims import ClaimMutex, boot_clock
from credential_rotation.model import Answer
from credential_rotation.policy import Request
from credential_rotation.wiring import open_deployment

OUTCOME = "="
DELTA = timedelta(seconds=0.5)
"""How much the clocks of one Bitwarden server differ from its own, and more."""


@dataclass
class Sleeper:
    """Stops this process once, before the named call; afterwards its clocks are that much further on."""

    stop_at: str
    """A call's name and its number: `vault create_secret 2`."""
    sleeps: float
    say: Callable[[str], object]
    slept: float = 0.0
    made: dict[str, int] = field(default_factory=dict)

    def wrap(self, owner: object, name: str, words: Callable[[tuple[Any, ...]], str]) -> None:
        call: Callable[..., Any] = getattr(owner, name)

        def counted(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever the call takes and gives
            word = words(given)
            self.made[word] = self.made.get(word, 0) + 1
            self.say(f"{word} {self.made[word]}")
            if f"{word} {self.made[word]}" == self.stop_at:
                os.kill(os.getpid(), signal.SIGSTOP)
                self.slept = self.sleeps
            return call(*given, **named)

        setattr(owner, name, counted)

    def plant(self) -> None:
        """From now on, in this process."""
        self.wrap(client, "ask", lambda given: f"vault {given[1]['operation']}")
        for module in (postgres, postgres_login):
            self.wrap(module, "connect", lambda _: "database login")
        self.wrap(postgres_connection.Connection, "ask", _statement)
        self.wrap(BaseClient, "_make_api_call", lambda given: f"aws {given[1]}")
        mutex = partial(ClaimMutex, delta=DELTA, clock=lambda: boot_clock() + self.slept)
        _replace(wiring, "ClaimMutex", mutex)

    def now(self) -> datetime:
        return datetime.now(timezone.utc) + timedelta(seconds=self.slept)


def _statement(given: tuple[Any, ...]) -> str:
    """The statement's first two words; what stands in brackets differs from case to case."""
    words = given[1].as_string(None).partition("(")[0].split()
    return f"database {' '.join(words[:2])}"


def hurry() -> None:
    """Where nothing is late, nothing is waited for in vain."""
    persevere.WAITS = (0.1, 0.1, 0.1)
    aws_iam_propagation.RUN, aws_iam_propagation._SHORTEST = 2, 0.01
    _replace(aws_iam, "wait_for_run", _wait_for_run)


def _replace(owner: object, name: str, by: Callable[..., Any]) -> None:
    setattr(owner, name, by)


def _wait_for_run(asks: Mapping[str, Ask], wanted: Answer, *, patience: float) -> bool:
    return aws_iam_propagation.wait_for_run(asks, wanted, patience=min(patience, 1.0))


def rotate(case: dict[str, Any]) -> None:
    """One case, to its end."""
    os.environ.update({name: value for name, value in case["environ"].items() if name.startswith("AWS_")})
    with Path(case["said"]).open("w", encoding="utf-8", buffering=1) as said:
        sleeper = Sleeper(case["stop_at"], case["sleeps"], lambda line: said.write(f"{line}\n"))
        sleeper.plant()
        hurry()
        deployment = open_deployment(case["environ"])
        deployment.clock = sleeper.now
        asked = datetime.fromisoformat(case["asked"]).astimezone(timezone.utc)
        wish = Request(at=asked, by="somebody else", now=True)
        outcome = deployment.rotate(deployment.entry(case["name"]), wish)
        said.write(f"{OUTCOME}{json.dumps(outcome.as_dict())}\n")


def main() -> None:
    """Until standard input ends."""
    for service in ("iam", "sts", "cloudtrail"):  # loaded once, not in each fork
        bare_session().client(service, "eu-central-1", aws_access_key_id="-", aws_secret_access_key="-")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody has to be waited for
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                rotate(json.loads(line))
            finally:
                os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
