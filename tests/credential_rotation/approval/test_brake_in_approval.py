"""After so many failures of one run that asks people, nothing more begins in it, and nobody is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from credential_rotation.approvers import Approval
from credential_rotation.model import ApprovalRule, Credential
from credential_rotation.outcome import Outcome, told
from credential_rotation.policy import Request
from simulators.scene import ETL

pytest_plugins = ["scenes.airflow.imported"]
pytestmark = pytest.mark.usefixtures("airflow")

AT = datetime(2026, 11, 27, 12, tzinfo=timezone.utc)
GUARDED = replace(ETL, policy=replace(ETL.policy, approval=ApprovalRule()))
ASKED = Request(AT, "kim", now=True)
BEN = Approval("ben", "ben", AT)


class Site:
    """Stands where a deployment would: it says what it was told to do."""

    def __init__(self, include: Path) -> None:
        self.include, self.settle, self.done = include, timedelta(0), list[Request | None]()
        (include / "credentials").mkdir()
        (include / "policies.yaml").write_text("limits: {stop_after_failures: 3}\n")

    @property
    def settings(self) -> Site:
        return self

    def clock(self) -> datetime:
        return AT

    def rotate(self, credential: Credential, begin: Request | None) -> Outcome:
        self.done.append(begin)
        if begin is None:
            return told(credential, "unchanged", "works, nothing is open")
        needs = begin.approval is None and not begin.revoke
        made = told(credential, "refused" if needs else "rotated", "done")
        return replace(made, needs_approval=needs)


def context(*words: tuple[str, int]) -> Any:  # noqa: ANN401 - as Airflow's
    """Of a task whose run left these outcomes: by place in the plan, and the minute at which each came."""
    left = [
        {
            **told(replace(ETL, name=f"c{place}"), word, "because").as_dict(),
            "log_url": "https://airflow.example/log",
            "map_index": place,
            "left_at": (AT + timedelta(minutes=minute)).isoformat(),
        }
        for place, (word, minute) in enumerate(words)
    ]
    names, red = [one["name"] for one in left], sum(word == "failed" for word, _ in words)

    def xcom_pull(task_ids: list[str], key: str = "return_value") -> list[Any]:
        kept: dict[tuple[str, ...], list[Any]] = {
            ("rotate", "outcome"): left,
            ("plan_approvals", "return_value"): [names],
        }
        return kept.get((*task_ids, key), [])

    task = SimpleNamespace(get_flat_relative_ids=lambda **_: {"plan_approvals", "hand_out.pool-small"})
    ids = {"dag_id": "rotate_with_approval", "task_id": "rotate", "run_id": "r1"}
    counted = {"get_ti_count": lambda **_: red, "get_task_states": lambda **_: {}}
    run = SimpleNamespace(run_type="scheduled")
    return {"ti": SimpleNamespace(**ids, **counted, xcom_pull=xcom_pull, task=task), "dag_run": run}


BROKEN = (("failed", 1), ("rotated", 0), ("failed", 2), ("rotated", -1), ("failed", 3))
"""Three in a row by time; none by their places in the plan."""


def test_in_a_row_is_by_time_and_not_by_place(tmp_path: Path) -> None:
    """People answer in any order: what came between in the plan may be hours old."""
    from credential_rotation.tasks.run_brake import why_held  # noqa: PLC0415 - after Airflow's home is set

    site: Any = Site(tmp_path)
    assert why_held(context(*BROKEN), site) == (
        "brake: 3 in a row failed (c0, c2, c4); nothing new begins in this run"
    )
    turned = [(word, minute) for (word, _), minute in zip(BROKEN, (0, 1, 2, 3, 4), strict=True)]
    assert why_held(context(*turned), site) is None
    assert why_held(context(("failed", 0), ("failed", 1)), site) is None


def test_nobody_is_asked_for_what_would_not_begin(tmp_path: Path) -> None:
    """What can be repaired is; who asked hears that it waits, and why."""
    from credential_rotation.approval.operator import _attempt  # noqa: PLC0415 - after Airflow's home is set

    site: Any = Site(tmp_path)
    assert _attempt(context(), site, GUARDED, ASKED).needs_approval
    held = _attempt(context(*BROKEN), site, GUARDED, ASKED)
    assert (held.outcome, held.needs_approval) == ("waiting", False)
    assert held.reason.startswith("brake: 3 in a row failed")
    assert site.done == [ASKED, None]


def test_a_yes_that_comes_after_them_begins_nothing(tmp_path: Path) -> None:
    """It was said of a world in which the others had not failed yet; who said it is kept."""
    from credential_rotation.approval.answers import Said  # noqa: PLC0415 - after Airflow's home is set
    from credential_rotation.approval.operator import _answered  # noqa: PLC0415 - as above

    site: Any = Site(tmp_path)
    said = Said("approved", "approved by ben", approval=BEN, is_answer=True)
    outcome, by = _answered(context(*BROKEN), site, GUARDED, ASKED, said)
    assert (outcome.outcome, by.approved_by) == ("waiting", "ben")
    assert site.done == [None]
    outcome, _ = _answered(context(), site, GUARDED, ASKED, said)
    assert outcome.outcome == "rotated"


def test_compromise_mode_is_not_held_up(tmp_path: Path) -> None:
    """Each minute that a value lives on is worse than one more failure."""
    from credential_rotation.approval.operator import _attempt  # noqa: PLC0415 - after Airflow's home is set

    site: Any = Site(tmp_path)
    revoke = replace(ASKED, force=True, revoke=True, reason="seen in a chat")
    assert _attempt(context(*BROKEN), site, GUARDED, revoke).outcome == "rotated"
    assert site.done == [revoke]
