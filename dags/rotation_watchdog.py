"""Tells what nobody would be told otherwise: what is overdue, stuck, never rotated or paused.

Once a day, to Slack, in one message, and only if there is something to say; on Mondays it also sums up the
week. A rotation that does not happen makes no failure: this is the alert on missing success. After each
complete run an outside service is called (`ROTATION_HEARTBEAT_URL`), so that silence is noticed too: when
Airflow itself is down, nothing in it tells.

**The digest names a credential: what now?**
- *never rotated*, *overdue*: is `rotate_database_credentials` or `rotate_cloud_credentials` paused? Otherwise
  the logs of its runs say what keeps it.
- *stuck*: `retire_credentials` tries it every hour, and its log says why it does not succeed.
- *to be changed by hand*, *handed on by hand*: say on the page, or by `record_by_hand`, that it is done.
- *the access token expires*: make a new one in Bitwarden and set it before that day.

Without Airflow: `python -m credential_rotation status`.
"""

import sys
from datetime import datetime, timezone
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "plugins"))  # for a tree dropped in whole

from airflow.sdk import dag

from credential_rotation.copies import counts
from credential_rotation.tasks.watch import watch


@dag(
    schedule="45 7 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    disable_bundle_versioning=True,  # a run that is cleared uses the inventory of today
    max_active_runs=1,
    is_paused_upon_creation=False,
    doc_md=__doc__,
    tags=["credentials"],
)
def rotation_watchdog() -> None:
    """Look, tell, and call the outside."""
    watch()


if counts(__file__):
    rotation_watchdog()
