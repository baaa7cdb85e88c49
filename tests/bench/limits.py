"""How many rotations the cloud's rate limits let through: beside what they allow, and without one refusal.

The limit that binds is of creates: 60 a minute for all behind one address, and each rotation makes one.
"""

from __future__ import annotations

import time
from pathlib import Path

from bench.rotations import OURS, rotating
from sandbox.bitwarden import Fault
from sandbox.bitwarden.request_log import LogLine

ALLOWED = "allowed"
PACED, REFUSED = "rotations a minute, the cloud's limits on", "requests that were refused (429)"
WINDOWS = 2
MINUTE = 60.0
_CREATES = 60
_TOLD = '{"message":"Slow down! Too many requests. Try again in 1s."}'


def limits(folder: Path) -> dict[str, dict[str, float]]:
    """Two processes, through two whole windows of a minute."""
    with rotating(folder) as (processes, bitwarden):
        for both in processes.values():
            for one in both:
                one.wish("once")  # all are ready
        bitwarden.fault(Fault("answer", verb="GET", path="/api/*", status=429, body=_TOLD, times=1))
        processes[OURS][0].wish("once")  # from that one answer the agent knows that there are limits
        time.sleep(MINUTE + 1)  # what it sent before counts as well
        bitwarden.rate_limits(True)  # noqa: FBT003 - reads as a switch
        bitwarden.clear_requests()
        for one in processes[OURS]:
            one.ask(f"for {WINDOWS * MINUTE - 5}")
        for one in processes[OURS]:
            one.answer()
        lines = bitwarden.requests()
    creates = [line.time for line in lines if _is_create(line)]
    inside = [moment for moment in creates if moment < creates[0] + WINDOWS * MINUTE]
    return {
        PACED: {OURS: len(inside) / WINDOWS, ALLOWED: float(_CREATES)},
        REFUSED: {OURS: float([line.status for line in lines].count(429))},
    }


def _is_create(line: LogLine) -> bool:
    return line.verb == "POST" and line.path.endswith("/secrets") and line.status == 200
