"""Things that go wrong between a client and a commit, to be switched on by action and key.

Without a commit: `answer` (an AWS error of any status and code), `drop_before`, `hang`.
With the commit: `delay` (before looking), `drop_after`, `hang_after`. `commit_late` leaves the client with a
dropped connection at once, and the request lands `seconds` later, judged by the keys of when it came.
"""

import fnmatch
from dataclasses import dataclass
from typing import Literal, get_args

from sandbox.fault_queue import Hits

Effect = Literal["answer", "drop_before", "hang", "delay", "drop_after", "hang_after", "commit_late"]


@dataclass(frozen=True, slots=True)
class Fault(Hits):
    """What happens to requests that fit: shell patterns of `action` ("iam:CreateAccessKey") and `key_id`."""

    does: Effect
    action: str = "*"
    key_id: str = "*"
    seconds: float = 0.0
    status: int = 500
    code: str = "InternalFailure"
    message: str = "We encountered an internal error. Please try again."

    def __post_init__(self) -> None:
        if self.does not in get_args(Effect):
            raise ValueError(f"no such fault: {self.does!r}; there are {', '.join(get_args(Effect))}")

    def matches(self, action: str, key_id: str) -> bool:
        """Action and key fit the patterns."""
        return fnmatch.fnmatchcase(action, self.action) and fnmatch.fnmatchcase(key_id, self.key_id)


def throttling(action: str, times: int | None) -> Fault:
    """Too many requests, in the words of the service."""
    if action.startswith("s3:"):
        return Fault("answer", action, status=503, code="SlowDown", message="Reduce your rate.", times=times)
    code = "ThrottlingException" if action.startswith("cloudtrail:") else "Throttling"
    return Fault("answer", action, status=400, code=code, message="Rate exceeded", times=times)
