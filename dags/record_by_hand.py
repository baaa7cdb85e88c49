"""Keeps what people say of their own work: what they have changed by hand, and to whom they gave a new value.

Two things no tool can do (docs/by-hand.md): change some credentials (`engine: manual`), and bring a new value
to who takes it by hand (a `manual` consumer). Whoever has done one of them says so here: **Trigger**, choose
the credential and what was done. The page **Credentials** has a button that does the same.

**You say it under your own name:** history and evidence name the user who triggered the run. It never runs by
itself, and is not paused at first.

- *I have changed it (close)* needs a reason. Reminders begin anew.
- *A consumer has the new value (confirm)* counts for one consumer and one version; what that replaced may be
  ended then. Said a second time it is green, and says who was first.

**A task is red: what now?** Nothing was kept; its log ends with what to do.
- *Was not changed since the last close*: store the new value in Bitwarden first; or say that it is unchanged
  there, and that this is right.
- *This run was cleared*: it keeps no word any more. Whose word it is gives it again.
- *Is not CURRENT*, *was made after this was said*: there is a newer version. Hand that one on, then say so.

Without Airflow: `python -m credential_rotation close NAME --reason …` and `… confirm NAME`.
"""

import os
import sys
from datetime import datetime, timezone
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "plugins"))  # for a tree dropped in whole

from airflow.sdk import dag

from credential_rotation.copies import counts
from credential_rotation.tasks.record import record
from credential_rotation.tasks.word_form import word_params


@dag(
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    disable_bundle_versioning=True,  # a run that is cleared uses the inventory of today
    max_active_runs=1,  # one word after the other: closings are counted
    is_paused_upon_creation=False,
    params=word_params(os.environ),
    doc_md=__doc__,
    tags=["credentials"],
)
def record_by_hand() -> None:
    """Keep one word."""
    record()


if counts(__file__):
    record_by_hand()
