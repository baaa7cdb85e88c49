"""Waits until every service says the same of a key, and goes on saying it.

Rules this file keeps:
- Services learn of a key at different times, and their servers too: one answer proves only the one that gave
  it. What counts is a run of answers, at every service, at the same time.
- It ends at its deadline whatever the answers are: what they mean is for the probe to say.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from credential_rotation.engines.aws_iam.calls import DENIED, STRANGER, AwsCalls, NoAnswer, Refused
from credential_rotation.model import Answer

RUN = 5
"""Answers in a row."""
_SHORTEST, _LONGEST = 0.2, 2.0

Ask = Callable[[], Answer]


def services(calls: AwsCalls, user: str, *, s3: bool) -> dict[str, Ask]:
    """One question for each service: whether it knows the key, whatever the key may do there."""
    asked: dict[str, Callable[[], object]] = {
        "sts": calls.whoami,
        "iam": lambda: calls.keys(user, requests=1),
    }
    if s3:
        asked["s3"] = calls.buckets
    return {name: _known(ask) for name, ask in asked.items()}


def elsewhere(calls: AwsCalls, region: str) -> dict[str, Ask]:
    """The question to a further region, where the entry says that the key is used too."""
    return {f"sts in {region}": _known(calls.whoami)}


def wait_for_run(asks: Mapping[str, Ask], wanted: Answer, *, patience: float) -> bool:
    """Whether every service gave this answer so many times in a row before the deadline."""
    ends = time.monotonic() + patience
    runs = dict.fromkeys(asks, 0)
    gap = _SHORTEST
    while True:
        before = dict(runs)
        for name, ask in asks.items():
            runs[name] = runs[name] + 1 if ask() is wanted else 0
        if min(runs.values()) >= RUN:
            return True
        all_agree = all(runs[name] > before[name] for name in runs)
        gap = _SHORTEST if all_agree else min(gap * 1.5, _LONGEST)
        if time.monotonic() + gap >= ends:
            return False
        time.sleep(gap)


def _known(ask: Callable[[], object]) -> Ask:
    def answer() -> Answer:
        try:
            ask()
        except NoAnswer:
            return Answer.UNKNOWN
        except Refused as refused:
            if refused.code in STRANGER:
                return Answer.REFUSED
            return Answer.WORKS if refused.code in DENIED else Answer.UNKNOWN
        return Answer.WORKS

    return answer
