"""Whether a wish from "Rotate now" can mean anything: the rules of the trigger form, before a run is made.

Rules this file keeps:
- Nothing is done here: the browser makes the run through Airflow's own API, with its user's rights.
- The task reads the same wish again by the same rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from credential_rotation.errors import BadInput
from credential_rotation.tasks.trigger_form import wish_of


def refusal(conf: Mapping[str, object], *, at: datetime, by: str) -> str | None:
    """Why this would be refused, and what to do instead; None where it would not."""
    try:
        wish_of(conf, conf, at=at, by=by)
    except BadInput as wrong:
        return f"{wrong.what[:1].upper()}{wrong.what[1:]}. {wrong.next_step}"
    return None
