"""Finishes rotations that were interrupted, and proves replaced values dead.

Every hour, for each credential where something is open: CURRENT is repaired, a begun version is
finished, a replaced value is proved dead and its record deleted. No new version is ever begun here; the
`pause` of a policy does not stop it.

**To repair one credential now** (CURRENT was edited by hand and no longer logs in): **Trigger** and choose
it. A credential that is chosen is looked at in any case; without a choice only what is open is.

**A task is red: what now?** Its log ends with what to do next. *Waiting* means that an earlier attempt was
not seen to end and its writes may still land; the next hour goes on by itself. *Waits until … has the new
value*: somebody takes it by hand; the log ends with where to say that they have it.

Without Airflow: `python -m credential_rotation retire NAME`.
"""

import os
import sys
from datetime import datetime, timezone
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "plugins"))  # for a tree dropped in whole

from airflow.sdk import dag

from credential_rotation.copies import counts
from credential_rotation.engines.registry import ALL
from credential_rotation.tasks.lanes import at_once, lanes_of, one_each
from credential_rotation.tasks.mapped import plan_retirements, report, retire
from credential_rotation.tasks.trigger_form import choice_params

LANES = lanes_of(ALL, os.environ)


@dag(
    schedule="30 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    disable_bundle_versioning=True,  # a run that is cleared uses the inventory of today
    max_active_runs=at_once(1, LANES),
    is_paused_upon_creation=False,
    params=choice_params(ALL, os.environ),
    doc_md=__doc__,
    tags=["credentials"],
)
def retire_credentials() -> None:
    """Plan, one mapped task per credential, report."""
    tasks = one_each(retire, plan_retirements(list(ALL)), LANES)
    tasks >> report(worker="retire", planner="plan_retirements", work="retirement")


if counts(__file__):
    retire_credentials()
