"""Makes runs in which a call goes wrong, each in a fork of a process that has loaded everything.

`python -m scenes.campaign.driver`: each line of standard input is a case as JSON, each line of standard
output what became of it: the calls that were made, how the process ended, and the outcome's word.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from credential_rotation.aws_session import bare_session
from scenes.campaign.accidents import ACCIDENTS
from scenes.campaign.calls import Calls
from scenes.campaign.passes import run

OUTCOME = "="


@dataclass(frozen=True)
class Case:
    """One line."""

    what: str
    name: str
    environ: dict[str, str]
    asked: str
    later: float
    at: int
    fault: str
    accident: str = ""
    """A mistake to plant in the product (`accidents`)."""


def _run(case: Case, out: int) -> None:
    def tell(text: str) -> None:
        os.write(out, f"{text}\n".encode())

    os.environ.update({name: value for name, value in case.environ.items() if name.startswith("AWS_")})
    Calls(case.at, case.fault, tell).plant()
    if case.accident:
        ACCIDENTS[case.accident](setattr)
    asked = datetime.fromisoformat(case.asked).astimezone(timezone.utc)
    later = timedelta(seconds=case.later)
    outcome = run(case.what, case.name, case.environ, asked=asked, later=later)
    tell(f"{OUTCOME}{outcome.outcome}: {outcome.reason}")


def answer(line: str) -> dict[str, Any]:
    """Fork, run, and say what was seen."""
    heard, said = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(heard)
        try:
            _run(Case(**json.loads(line)), said)
        finally:
            os._exit(0)
    os.close(said)
    with os.fdopen(heard) as told:
        lines = told.read().splitlines()
    _, status = os.waitpid(pid, 0)
    outcomes = [one.removeprefix(OUTCOME) for one in lines if one.startswith(OUTCOME)]
    calls = [one for one in lines if not one.startswith(OUTCOME)]
    return {"calls": calls, "killed": os.WIFSIGNALED(status), "outcome": (outcomes or [""])[0]}


def main() -> None:
    """Until standard input ends."""
    for service in ("iam", "sts"):  # loaded once, not in each fork
        bare_session().client(service, "eu-central-1", aws_access_key_id="-", aws_secret_access_key="-")
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(line)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
