"""Things that go wrong between a client and a commit, to be switched on by verb and path.

Without a commit: `answer` (any status and body), `garbage` (200 whose JSON ends too early), `drop`, `hang`.
With the commit: `delay` (before looking), `slow_commit` (between stamp and commit), `slow_answer` (after the
commit), `drop_after_commit`, `hang_after_commit`, `cut_answer` (half a body). `commit_late` leaves the client
with a dropped connection, or a status, at once, and the write lands `seconds` later.
"""

import asyncio
import fnmatch
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

from sandbox.bitwarden.messages import JSON, Reply, nothing
from sandbox.fault_queue import Hits

Effect = Literal[
    "answer", "garbage", "drop", "hang", "delay", "slow_commit", "slow_answer",
    "drop_after_commit", "hang_after_commit", "cut_answer", "commit_late",
]  # fmt: skip
GARBAGE = b'{"access_token": '


@dataclass(frozen=True, slots=True)
class Fault(Hits):
    """What happens to requests that match; verb and path (no query) are shell patterns."""

    does: Effect
    verb: str = "*"
    path: str = "*"
    seconds: float = 0.0
    status: int | None = None
    body: str = ""
    content_type: str = JSON
    location: str | None = None

    def __post_init__(self) -> None:
        if self.does not in get_args(Effect):
            raise ValueError(f"no such fault: {self.does!r}; there are {', '.join(get_args(Effect))}")
        if self.does == "answer" and self.status is None:
            raise ValueError("the fault 'answer' needs a status")

    def matches(self, verb: str, path: str) -> bool:
        """Verb and path fit the patterns."""
        return fnmatch.fnmatchcase(verb, self.verb) and fnmatch.fnmatchcase(path, self.path)

    def answer(self) -> Reply:
        """The reply that this fault puts in place of the real one."""
        location = (("Location", self.location),) if self.location else ()
        return Reply(self.status or 500, self.body.encode(), self.content_type, location)


async def suffer(fault: Fault, plan: Callable[[], Reply]) -> Reply:
    """The reply under a fault; `plan` looks and stamps, its reply's commit writes."""
    if fault.does in ("answer", "garbage", "drop", "hang"):
        return _instead(fault)
    if fault.does == "delay":
        await asyncio.sleep(fault.seconds)
    reply = plan()
    if fault.does == "commit_late":
        asyncio.get_running_loop().call_later(fault.seconds, reply.commit)
        return fault.answer() if fault.status else Reply(0, delivery="drop")
    if fault.does == "slow_commit":
        await asyncio.sleep(fault.seconds)
    reply.commit()
    if fault.does == "slow_answer":
        await asyncio.sleep(fault.seconds)
    return _delivered(fault, replace(reply, commit=nothing))


def _instead(fault: Fault) -> Reply:
    if fault.does == "answer":
        return fault.answer()
    if fault.does == "garbage":
        return Reply(200, GARBAGE)
    return Reply(0, delivery="drop" if fault.does == "drop" else "hang")


def _delivered(fault: Fault, reply: Reply) -> Reply:
    if fault.does == "drop_after_commit":
        return replace(reply, delivery="drop")
    if fault.does == "hang_after_commit":
        return replace(reply, delivery="hang")
    return replace(reply, delivery="cut" if fault.does == "cut_answer" else "whole")
