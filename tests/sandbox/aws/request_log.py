"""Who asked for what, when, and how it ended; never a body, never a signature."""

import time
from dataclasses import dataclass


@dataclass(slots=True)
class LogLine:
    """One request, here from its arrival; `status` stays None if no answer ever went out."""

    time: float
    action: str
    key_id: str
    region: str
    user_agent: str
    status: int | None = None
    error: str | None = None
    ms: float | None = None
    fault: str | None = None


class RequestLog:
    """The requests since the last clearing."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []

    def arrived(self, action: str, key_id: str, region: str, user_agent: str) -> LogLine:
        """Note an arrival."""
        line = LogLine(time.time(), action, key_id, region, user_agent)
        self.lines.append(line)
        return line


def answered(line: LogLine, status: int | None, error: str | None = None) -> None:
    """Note how it ended."""
    line.status, line.error = status, error
    line.ms = round((time.time() - line.time) * 1000, 3)
