"""The trigger form, and what a run was asked for: whatever the form lets through, the task reads again.

Rules this file keeps:
- The form offers the names of the inventory; a broken inventory never breaks the DAG.
- What is asked for in a way that cannot mean anything is refused, never ignored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from airflow.sdk import Param, get_parsing_context

from credential_rotation.errors import BadInput
from credential_rotation.inventory import load_inventory
from credential_rotation.policy import Request
from credential_rotation.settings import read_settings

MOST_REASON = 500
PAUSED = "While this DAG is paused, a run of it stays queued and does nothing."
_KNOWN = ("credentials", "reason", "not_before", "force", "dry_run")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a run was asked for."""

    names: tuple[str, ...]
    """Empty: all that are due."""
    request: Request
    dry_run: bool


def rotation_params(engines: Sequence[str], environ: Mapping[str, str]) -> dict[str, Param]:
    """The form of a rotating DAG."""
    return {
        "credentials": _credentials(engines, environ, "Which to rotate now. None: all that are due."),
        "reason": Param(
            None,
            type=["null", "string"],
            maxLength=MOST_REASON,
            title="Reason",
            description="Kept as evidence. Required when forced.",
        ),
        "not_before": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Not before",
            description="Begins no earlier than this; the run waits for a while, then says so.",
        ),
        "force": Param(
            False,  # noqa: FBT003 - a form's default
            type="boolean",
            title="Force",
            description="In spite of its policy's pause and window, and where no stored value works and an "
            "admin may set a new one.",
        ),
        "dry_run": Param(
            False,  # noqa: FBT003 - a form's default
            type="boolean",
            title="Dry run",
            description="Look and ask the target; change nothing.",
        ),
    }


def choice_params(engines: Sequence[str], environ: Mapping[str, str]) -> dict[str, Param]:
    """The form of a DAG that begins nothing: which credentials, all by default."""
    return {"credentials": _credentials(engines, environ, "Which. None: all.")}


def wish_of(
    conf: Mapping[str, object], params: Mapping[str, object], *, at: datetime, by: str | None
) -> Wish:
    """What a run was asked for; `by` is None for a scheduled one. Raises: BadInput."""
    unknown = sorted(set(conf) - set(_KNOWN))
    if unknown:
        raise BadInput(
            f"unknown in the run's configuration: {', '.join(unknown)[:200]}",
            next_step=f"Known are {', '.join(_KNOWN)}. Trigger the DAG again with these.",
        )
    names = _names(params.get("credentials"))
    force, dry_run = (_switch(params, name) for name in ("force", "dry_run"))
    reason = _reason(params.get("reason"))
    if force and not names:
        raise BadInput(
            "forced, but no credential is chosen",
            next_step="Choose the credentials that are to be rotated in spite of their policies.",
        )
    request = Request(
        at=at,
        by=by or "schedule",
        now=bool(names) and by is not None,
        force=force,
        reason=reason,
        not_before=_moment(params.get("not_before")),
    )
    return Wish(names, request, dry_run)


def _names(given: object) -> tuple[str, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(name, str) and name for name in given):
        raise BadInput(
            "`credentials` is not a list of names", next_step='Write them as ["warehouse-etl", "reporting"].'
        )
    return tuple(dict.fromkeys(given))


def _reason(given: object) -> str | None:
    if given is None:
        return None
    if not isinstance(given, str) or len(given) > MOST_REASON:
        raise BadInput(
            f"`reason` is not a text of at most {MOST_REASON} characters", next_step="Say why, in a sentence."
        )
    return given.strip() or None


def _moment(given: object) -> datetime | None:
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(str(given).replace("Z", "+00:00"))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BadInput(
            "`not_before` is not a moment with a time zone", next_step="Write it as 2026-11-28T02:00:00Z."
        )
    return moment


def _switch(params: Mapping[str, object], name: str) -> bool:
    given = params.get(name, False)
    if not isinstance(given, bool):
        raise BadInput(
            f"`{name}` is neither true nor false", next_step="Write true or false, without quotes."
        )
    return given


def _credentials(engines: Sequence[str], environ: Mapping[str, str], description: str) -> Param:
    names = _offered(engines, environ)
    items = {"type": "string", "enum": names} if names else {"type": "string"}
    return Param(
        [],
        type="array",
        items=items,
        examples=names,
        title="Credentials",
        description=f"{description} {PAUSED}",
    )


def _offered(engines: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """The names for the form; a task does not need them and is spared the reading."""
    if get_parsing_context().task_id is not None:
        return []
    try:
        inventory = load_inventory(read_settings(environ).include)
    except BadInput:
        return []
    return [one.name for one in inventory.credentials if one.engine in engines]
