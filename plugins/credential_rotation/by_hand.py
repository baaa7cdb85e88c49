"""Words about what people do by hand, and about where they say that it is done.

Rules this file keeps:
- Airflow comes first, where a login tells who says it; the command is for the day that Airflow is down.
- A command that is told can be pasted into a shell, whatever somebody is called.
- It names the version that it is about, so that yesterday's message confirms nothing of today.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from credential_rotation.errors import BadInput
from credential_rotation.model import Consumer

BY_HAND = "manual"
"""The kind of a consumer that takes values by hand, and the engine of what no tool can change."""
RECORDS = "record_by_hand"
"""The DAG that keeps what people say; the page makes its runs."""
_SAY_SO = f"say so: page Credentials or DAG {RECORDS}; without Airflow:"


def named(who: Sequence[Consumer]) -> str:
    """`Looker (bi), Tableau`."""
    return ", ".join(f"{one.name} ({one.owner})" if one.owner else one.name for one in who)


def awaits(who: Sequence[Consumer]) -> str:
    """What is waited for, as a reason."""
    return f"waits until {named(who)} has the new value, which a person takes there by hand"


def no_tool(name: str) -> str:
    """Why nothing rotates it."""
    return f"{name}: no tool can change it (engine {BY_HAND}), a person does"


def how_to_close(name: str) -> str:
    """How a person says that they have changed it."""
    return f"When it is changed, {_SAY_SO} {close_command(name)}"


def close_command(name: str) -> str:
    """The same from a shell."""
    return f"python -m credential_rotation close {shlex.quote(name)} --reason '…'"


def how_to_confirm(credential: str, consumer: Consumer, version: int) -> str:
    """What the person does."""
    command = confirm_command(credential, consumer, version)
    return f"Give {named([consumer])} version {version}, then {_SAY_SO} {command}"


def confirm_command(credential: str, consumer: Consumer, version: int) -> str:
    """How they say it from a shell."""
    about = shlex.join([credential, "--consumer", consumer.name, "--version", str(version)])
    return f"python -m credential_rotation confirm {about}"


def not_kept_then(name: str) -> BadInput:
    """Of a word whose run was cleared: nobody knows by whom, nor whether it would still be given."""
    return BadInput(
        f"{name}: this run was cleared, and its word was not kept when it was given",
        next_step=f"Whose word it is may give it again: page Credentials, or a new run of {RECORDS}.",
    )
