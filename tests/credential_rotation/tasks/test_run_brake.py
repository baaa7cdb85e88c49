"""Where so many tasks of a run failed and what they left cannot be read, nothing new begins in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from credential_rotation.errors import BadInput
from credential_rotation.outcome import told
from simulators.scene import ETL

pytest_plugins = ["scenes.airflow.imported"]
pytestmark = pytest.mark.usefixtures("airflow")

AT = "2026-11-27T12:00:00+00:00"
LIMIT = 3
AIRFLOWS = {"rotated": "success"}


def outcome(place: int, word: str = "failed") -> dict[str, Any]:
    made = {**told(ETL, word, "because").as_dict(), "name": f"c{place}"}
    return {**made, "log_url": "https://airflow.example/log", "map_index": place, "left_at": AT}


def why_held(  # noqa: PLR0913 - what such a run has
    tmp_path: Path,
    *,
    red: int,
    plan: object,
    shares: object = None,
    left: Sequence[dict[str, Any]] = (),
    include: Path | None = None,
) -> str | None:
    """What the brake says to the next task of a run with so many failed ones, of which these left this."""
    from credential_rotation.tasks.run_brake import why_held as asked  # noqa: PLC0415 - after Airflow's home is set

    (tmp_path / "credentials").mkdir(exist_ok=True)
    (tmp_path / "policies.yaml").write_text(f"limits: {{stop_after_failures: {LIMIT}}}\n")
    states = {f"rotate_{one['map_index']}": AIRFLOWS.get(one["outcome"], "failed") for one in left}
    kept = {"outcome": left, "return_value": [plan], "shares": [shares]}
    ti = SimpleNamespace(
        dag_id="rotate_database_credentials",
        task_id="rotate",
        run_id="r1",
        task=SimpleNamespace(get_flat_relative_ids=lambda **_: {"plan"}),
        get_ti_count=lambda **_: red,
        get_task_states=lambda **_: {"r1": states},
        xcom_pull=lambda key="return_value", **_: kept[key],
    )
    site: Any = SimpleNamespace(settings=SimpleNamespace(include=include or tmp_path))
    context: Any = {"ti": ti, "dag_run": SimpleNamespace(run_type="scheduled")}
    return asked(context, site)


NAMES = ["c0", "c1", "c2", "c3"]
OTHER = {**outcome(2), "steps": "of other code"}
UNREADABLE: dict[str, dict[str, Any]] = {
    "the plan": {"plan": "of other code"},
    "the shares of its lanes": {"plan": NAMES, "shares": {"names": {"": 7}, "left_out": []}},
    "an outcome": {"plan": NAMES, "left": [outcome(0), outcome(1), OTHER]},
}


@pytest.mark.parametrize("case", UNREADABLE.values(), ids=UNREADABLE)
def test_not_knowing_holds_what_would_begin(tmp_path: Path, case: dict[str, Any]) -> None:
    """One cause may be breaking everything; a tick later costs less. Why is said."""
    held = why_held(tmp_path, red=LIMIT, **case)
    assert held is not None
    assert held.startswith("brake: 3 tasks of this run failed, and ")
    assert held.endswith("nothing new begins in this run")
    assert why_held(tmp_path, red=LIMIT - 1, **case) is None, "too few to be the row"


def test_what_can_be_read_is_what_counts(tmp_path: Path) -> None:
    """A row is told as one, and whoever came between ends it."""
    row = [outcome(0), outcome(1), outcome(2)]
    pulled = why_held(tmp_path, red=LIMIT, plan=NAMES, left=row)
    assert pulled == "brake: 3 in a row failed (c0, c1, c2); nothing new begins in this run"
    broken = [outcome(0), outcome(1, "rotated"), outcome(2), outcome(3)]
    assert why_held(tmp_path, red=LIMIT, plan=NAMES, left=broken) is None


def test_a_run_without_a_red_task_reads_no_limits(tmp_path: Path) -> None:
    """They are 5 ms of the processor, and each task of a hundred would read them."""
    assert why_held(tmp_path, red=0, plan=NAMES, include=tmp_path / "nowhere") is None
    with pytest.raises(BadInput):
        why_held(tmp_path, red=1, plan=NAMES, include=tmp_path / "nowhere")
