"""When a run that goes wrong begins nothing more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from credential_rotation.model import Answer
from credential_rotation.outcome import Outcome, OutcomeDict, told
from credential_rotation.planning.brake import brake_pulled
from simulators.scene import ETL


def came(*words: str) -> list[OutcomeDict]:
    return [_outcome(word, f"e{place}").as_dict() for place, word in enumerate(words)]


def _outcome(word: str, name: str) -> Outcome:
    outcome, _, answer = word.partition(" ")
    made = told(replace(ETL, name=name), outcome, "because")
    return replace(made, consumers=(("dag:load", Answer(answer), "why"),)) if answer else made


CASES = {
    "nothing has come yet": ([], None),
    "two failed: not yet": (["failed", "failed"], None),
    "three in a row": (["failed", "failed", "failed"], "e0, e1, e2"),
    "a success between starts anew": (["failed", "failed", "rotated", "failed", "failed"], None),
    "an earlier success does not count": (["rotated", "failed", "failed", "failed"], "e1, e2, e3"),
    "a later success comes too late": (["failed", "failed", "failed", "rotated"], "e0, e1, e2"),
    "what waits between says nothing": (
        ["failed", "waiting", "failed", "busy", "refused", "unchanged", "failed"],
        "e0, e2, e6",
    ),
    "a finished one starts anew": (["failed", "failed", "recovered", "failed"], None),
    "consumers that refuse the new value": (["unproved refused"] * 3, "e0, e1, e2"),
    "consumers that nobody could ask": (["unproved unknown"] * 9, None),
    "broken is a failure": (["broken", "failed", "broken"], "e0, e1, e2"),
}


@pytest.mark.parametrize("case", CASES)
def test_three_failures_in_a_row(case: str) -> None:
    """The reason names those that failed, so that a person knows where to look."""
    words, names = CASES[case]
    said = f"brake: 3 in a row failed ({names}); nothing new begins in this run" if names else None
    assert brake_pulled(came(*words), 3) == said


def test_one_may_be_enough() -> None:
    """Where the limit is one, the first failure stops the run."""
    assert brake_pulled(came("failed"), 1) == "brake: 1 in a row failed (e0); nothing new begins in this run"
