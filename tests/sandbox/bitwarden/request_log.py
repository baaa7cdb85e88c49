"""Who asked for what, when, and how it ended; never a body, never a query."""

import time
from dataclasses import dataclass


@dataclass(slots=True)
class LogLine:
    """One request, here from its arrival with `ms` None; `status` stays None if no answer ever went out."""

    time: float
    verb: str
    path: str
    account: str | None
    token_id: str | None
    status: int | None = None
    ms: float | None = None
    fault: str | None = None


class RequestLog:
    """The requests since the last clearing."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []

    def arrived(self, verb: str, path: str, account: str | None, token_id: str | None) -> LogLine:
        """Note an arrival."""
        line = LogLine(time.time(), verb, path, account, token_id)
        self.lines.append(line)
        return line

    def answered(self, line: LogLine, status: int) -> None:
        """Note how it ended; 0 is an answer that never went out."""
        line.status = status or None
        line.ms = round((time.time() - line.time) * 1000, 3)
