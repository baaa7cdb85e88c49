"""Rotates the database credentials that are due, and those that somebody chose.

Every hour those whose policy says so; at any time those that you choose: **Trigger**, choose credentials,
give a reason, and watch one task per credential in the grid.

**Paused at first: nothing rotates until it is unpaused.** A run that is triggered meanwhile stays queued.

**A task is red: what now?** Its log ends with what happened and what to do next; Slack has the same.
- *The old value still works*: nobody is locked out. Mend what is named; the next hour tries again.
- *Only the new value works*: it is written down in Bitwarden. `retire_credentials` finishes within the hour
  by itself; trigger it to finish now.
- *Neither works*: the password was changed by hand. Store the working one in Bitwarden, and the next run
  takes it over; or trigger with **Force** and a reason, and the admin sets a new one.
- *Waiting*, *busy*: heals by itself. *Its policy wants the approval of a second person*: that is the work of
  `rotate_with_approval`; this DAG leaves it alone.

**A value may be in wrong hands?** Trigger with **Compromise mode** and a reason: the old one dies at once
(docs/compromise.md). With **Dry run** it first tells whom that breaks.

Running it again is always safe: it finds what was done and goes on from there.

Without Airflow: `python -m credential_rotation rotate NAME`.
"""

import os
import sys
from datetime import datetime, timezone
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "plugins"))  # for a tree dropped in whole

from airflow.sdk import dag

from credential_rotation.copies import counts
from credential_rotation.engines.registry import DATABASES
from credential_rotation.tasks.lanes import lanes_of, one_each
from credential_rotation.tasks.mapped import plan_rotations, report, rotate
from credential_rotation.tasks.trigger_form import rotation_params


@dag(
    schedule="0 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    disable_bundle_versioning=True,  # a run that is cleared uses the inventory of today
    max_active_runs=4,
    params=rotation_params(DATABASES, os.environ),
    doc_md=__doc__,
    tags=["credentials"],
)
def rotate_database_credentials() -> None:
    """Plan, one mapped task per credential, report."""
    tasks = one_each(rotate, plan_rotations(list(DATABASES)), lanes_of(DATABASES, os.environ))
    tasks >> report(worker="rotate", planner="plan_rotations", work="rotation")


if counts(__file__):
    rotate_database_credentials()
