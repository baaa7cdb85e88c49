"""Rotates the cloud keys that are due, and those that somebody chose.

Every hour those whose policy says so; at any time those that you choose: **Trigger**, choose credentials,
give a reason, and watch one task per credential in the grid. A new key is made, proved wherever it is used,
and only then stored; the old one lives on through grace, is inactive through soak, and then deleted.

**Paused at first: nothing rotates until it is unpaused.** A run that is triggered meanwhile stays queued.

**A task is red: what now?** Its log ends with what happened and what to do next; Slack has the same. The key
that is stored works in nearly every case: nothing is made inactive before its successor was proved.
- *No room for a new key*: the user has a key that nobody recorded. Find out who uses it; the message has the
  command that deletes it.
- *Not known everywhere yet*: AWS was slower than usual; the next hour goes on with the same key.
- *Waiting*, *busy*: heals by itself. *Its policy wants the approval of a second person*: that is the work of
  `rotate_with_approval`; this DAG leaves it alone.

**A value may be in wrong hands?** Trigger with **Compromise mode** and a reason: the old one dies at once
(docs/compromise.md). With **Dry run** it first tells whom that breaks.

Running it again is always safe: it finds what was done and goes on from there.

Without Airflow: `python -m credential_rotation rotate NAME`; back to the old key, while it is there:
`python -m credential_rotation rollback NAME --reason …`.
"""

import os
import sys
from datetime import datetime, timezone
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "plugins"))  # for a tree dropped in whole

from airflow.sdk import dag

from credential_rotation.copies import counts
from credential_rotation.engines.registry import CLOUD
from credential_rotation.tasks.lanes import lanes_of, one_each
from credential_rotation.tasks.mapped import plan_rotations, report, rotate
from credential_rotation.tasks.trigger_form import rotation_params


@dag(
    schedule="0 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    disable_bundle_versioning=True,  # a run that is cleared uses the inventory of today
    max_active_runs=4,
    params=rotation_params(CLOUD, os.environ),
    doc_md=__doc__,
    tags=["credentials"],
)
def rotate_cloud_credentials() -> None:
    """Plan, one mapped task per credential, report."""
    tasks = one_each(rotate, plan_rotations(list(CLOUD)), lanes_of(CLOUD, os.environ))
    tasks >> report(worker="rotate", planner="plan_rotations", work="rotation")


if counts(__file__):
    rotate_cloud_credentials()
