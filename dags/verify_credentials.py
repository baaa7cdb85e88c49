"""Proves that every credential works where it is used; changes nothing.

Once a day: CURRENT is read from Bitwarden and logs in at the target and at every endpoint, and every
consumer is asked. Nothing is changed anywhere. This is what finds a password that was changed by hand
before a pipeline does; entries of the inventory that cannot be used are told here too.

**A task is red: what now?**
- *broken, CURRENT is refused*: trigger `retire_credentials` for it. If a stored value logs in it takes
  CURRENT's place; if none does, it says what a person has to do.
- *broken, an endpoint refuses*: a replica or pooler lags behind or has its own list of passwords.
- *unproved*: an endpoint or a consumer could not be asked.

Without Airflow: `python -m credential_rotation verify`.
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
from credential_rotation.tasks.mapped import plan_verifications, report, verify
from credential_rotation.tasks.trigger_form import choice_params

LANES = lanes_of(ALL, os.environ)


@dag(
    schedule="15 6 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    disable_bundle_versioning=True,  # a run that is cleared uses the inventory of today
    max_active_runs=at_once(1, LANES),
    is_paused_upon_creation=False,
    params=choice_params(ALL, os.environ),
    doc_md=__doc__,
    tags=["credentials"],
)
def verify_credentials() -> None:
    """Plan, one mapped task per credential, report."""
    tasks = one_each(verify, plan_verifications(list(ALL)), LANES)
    tasks >> report(worker="verify", planner="plan_verifications", work="check")


if counts(__file__):
    verify_credentials()
