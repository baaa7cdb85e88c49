"""Whether what is asked for, or said, on the page can mean anything: the form's rules, before a run is made.

Rules this file keeps:
- Nothing is done here: the browser makes the run through Airflow's own API, with its user's rights.
- The task reads the same again by the same rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from credential_rotation.errors import BadInput
from credential_rotation.tasks.trigger_form import wish_of
from credential_rotation.tasks.word_form import said_in


def refusal(conf: Mapping[str, object], *, at: datetime, by: str) -> str | None:
    """Why this would be refused, and what to do instead; None where it would not."""
    return _refused(lambda: wish_of(conf, conf, at=at, by=by))


def refusal_of_word(conf: Mapping[str, object]) -> str | None:
    """The same of what a person says of their own work."""
    return _refused(lambda: said_in(conf, conf))


def _refused(read: Callable[[], object]) -> str | None:
    try:
        read()
    except BadInput as wrong:
        return f"{wrong.what[:1].upper()}{wrong.what[1:]}. {wrong.next_step}"
    return None
