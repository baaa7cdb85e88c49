"""Makes rotations that end in kill -9: a process that forks for each case that it reads.

`python -m scenes.kill_driver`: each line of standard input is a case; the fork counts its network calls (a
request to the vault's agent, a login at the database, a statement there) and kills itself before the one that
the case names, which is right after the one before. What it answers is the names of the calls that were made.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from bitwarden_vault import client
from credential_rotation.engines import postgres, postgres_connection, postgres_login
from credential_rotation.policy import Request
from credential_rotation.wiring import open_deployment


@dataclass
class Calls:
    """Counts calls, and ends the process at one of them."""

    at: int
    out: int
    names: list[str] = field(default_factory=list)

    def wrap(self, call: Callable[..., Any], name: Callable[[tuple[Any, ...]], str]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever the call takes and gives
            self.names.append(name(arguments))
            if len(self.names) == self.at:
                os.kill(os.getpid(), signal.SIGKILL)
            os.write(self.out, f"{self.names[-1]}\n".encode())
            return call(*arguments, **named)

        return counted


def _statement(arguments: tuple[Any, ...]) -> str:
    """The statement's first two words; what stands in brackets differs from case to case."""
    words = arguments[1].as_string(None).partition("(")[0].split()
    return f"database: {' '.join(words[:2])}"


def _replace(owner: object, name: str, by: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    setattr(owner, name, by(getattr(owner, name)))


def rotate(case: dict[str, Any], out: int) -> None:
    """One rotation, perhaps not to its end."""
    calls = Calls(case["at"], out)
    _replace(client, "ask", lambda ask: calls.wrap(ask, lambda given: f"vault: {given[1]['operation']}"))
    for module in (postgres, postgres_login):
        _replace(module, "connect", lambda connect: calls.wrap(connect, lambda _: "database: login"))
    _replace(postgres_connection.Connection, "ask", lambda ask: calls.wrap(ask, _statement))
    deployment = open_deployment(case["environ"])
    asked = datetime.fromisoformat(case["asked"]).astimezone(timezone.utc)
    credential = deployment.entry(case["name"])
    deployment.rotate(credential, Request(at=asked, by="the test", now=True))


def main() -> None:
    """Until standard input ends."""
    for line in sys.stdin:
        case = json.loads(line)
        heard, said = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(heard)
            rotate(case, said)
            os._exit(0)
        os.close(said)
        with os.fdopen(heard) as names:
            calls = names.read().splitlines()
        _, status = os.waitpid(pid, 0)
        ended = {"calls": calls, "killed": os.WIFSIGNALED(status), "code": os.waitstatus_to_exitcode(status)}
        sys.stdout.write(json.dumps(ended) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
