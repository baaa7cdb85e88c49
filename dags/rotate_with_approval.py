"""Rotates the credentials whose policy wants a second person's yes: asks, waits, and goes on with the answer.

Every hour it asks about those that are due; at any time about those that you choose: **Trigger**, choose
credentials, give a reason. Slack has the question with its link, and **Required Actions** has it too. Whoever
may answer says *Approve* or *Refuse*; **nobody approves what they asked for themselves**. While it waits it
holds up nothing: not the other credentials, not the next hour, no worker.

**Paused at first: nobody is asked until it is unpaused.** It has no work where no policy says `approval`.

- *Refused*, or nobody answered: nothing was changed, nothing went wrong. The schedule asks again a day
  after it asked (`again` in the policy).
- *Approved and red*: the log ends with what happened and what to do next; Slack has the same. What was begun
  is finished by `retire_credentials` within the hour, and asks nobody.
- *A value is in wrong hands*: don't wait. **Compromise mode** in the form asks nobody, nor does
  `python -m credential_rotation revoke NAME`.

Needs Airflow 3.3; on an older one it says so and rotates nothing.
"""

import os
import sys
from datetime import datetime, timezone
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "plugins"))  # for a tree dropped in whole

from airflow.sdk import dag

from credential_rotation.approval.tasks import ask_about, plan_approvals, report_approvals
from credential_rotation.copies import counts
from credential_rotation.engines.registry import ALL
from credential_rotation.tasks.lanes import in_each_lane, lanes_of
from credential_rotation.tasks.trigger_form import rotation_params


@dag(
    schedule="0 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    disable_bundle_versioning=True,  # a run that is cleared uses the inventory of today
    max_active_runs=200,  # each waits for its people, and the next hour does not wait for it
    params=rotation_params(ALL, os.environ),
    doc_md=__doc__,
    tags=["credentials"],
)
def rotate_with_approval() -> None:
    """Plan, one mapped task per credential that asks and rotates, report."""
    tasks = in_each_lane(ask_about, plan_approvals(list(ALL)), "rotate", lanes_of(ALL, os.environ))
    tasks >> report_approvals(worker="rotate", planner="plan_approvals")


if counts(__file__):
    rotate_with_approval()
