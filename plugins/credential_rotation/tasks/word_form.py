"""The form of `record_by_hand`, and what was said there: what the form lets through, the task reads again.

Rules this file keeps:
- Who says it is no field: a run has the user who triggered it.
- The form offers what people do by hand; a broken inventory never breaks the DAG.
- What is said in a way that cannot mean anything is refused, never ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from airflow.sdk import Param, get_parsing_context

from credential_rotation.errors import BadInput
from credential_rotation.inventory.kept import by_hand
from credential_rotation.settings import read_settings
from credential_rotation.tasks.trigger_form import MOST_REASON, insist_on_known, reason_in, switch_in

CLOSE, CONFIRM = "close", "confirm"
"""What was done, as the commands are called."""
_DONE = {CLOSE: "I have changed it (close)", CONFIRM: "A consumer has the new value (confirm)"}
_OF_CLOSE, _OF_CONFIRM = ("changed_on", "unchanged"), ("consumer", "version")
_KNOWN = ("credential", "done", "reason", *_OF_CONFIRM, *_OF_CLOSE)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says that they have done."""

    name: str
    done: str
    reason: str | None
    consumer: str | None = None
    version: int | None = None
    changed: datetime | None = None
    """None: when it was said."""
    unchanged: bool = False


def word_params(environ: Mapping[str, str]) -> dict[str, Param]:
    """The form."""
    offered = _offered(environ)
    names: dict[str, Any] = {"enum": list(offered)} if offered else {}
    return {
        "credential": Param(
            type="string", title="Credential", description="What only people can change or hand on.", **names
        ),
        "done": Param(
            type="string",
            enum=list(_DONE),
            values_display=_DONE,
            title="What was done",
            description="What you have done yourself.",
        ),
        "reason": Param(
            None,
            type=["null", "string"],
            maxLength=MOST_REASON,
            title="Reason",
            description="Kept as evidence: what you did. Required when you have changed it.",
        ),
        "consumer": Param(
            None,
            type=["null", "string"],
            examples=sorted({who for own in offered.values() for who in own}),
            title="Consumer",
            description="Who has the new value. May be left out where only one takes it by hand.",
        ),
        "version": Param(
            None,
            type=["null", "integer"],
            minimum=0,
            title="Version",
            description="Which one the consumer has. Left out: the one in use when you say it.",
        ),
        "changed_on": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Changed on",
            description="The day on which you changed it, in UTC. Left out: now.",
        ),
        "unchanged": Param(
            False,  # noqa: FBT003 - a form's default
            type="boolean",
            title="Unchanged in Bitwarden",
            description="Switch on if its secret there is rightly the same as when it was closed last.",
        ),
    }


def said_in(conf: Mapping[str, object], params: Mapping[str, object]) -> Said:
    """What a run was told. Raises: BadInput."""
    insist_on_known(conf, _KNOWN)
    name, done = _text(params, "credential"), params.get("done")
    if name is None:
        raise BadInput("no credential is chosen", next_step="Choose the one that this is about.")
    if not isinstance(done, str) or done not in _DONE:
        raise BadInput(
            f"`done` is neither {CLOSE} nor {CONFIRM}",
            next_step=f"{CLOSE}: you have changed it. {CONFIRM}: a consumer has the new value.",
        )
    said = Said(
        name,
        done,
        reason_in(params.get("reason")),
        _text(params, "consumer"),
        _number(params.get("version")),
        _day(params.get("changed_on")),
        switch_in({"unchanged": False, **params}, "unchanged"),
    )
    _insist_on_sense(said)
    return said


def _insist_on_sense(said: Said) -> None:
    given = {
        "consumer": said.consumer,
        "version": said.version,
        "changed_on": said.changed,
        "unchanged": said.unchanged or None,
    }
    others = _OF_CONFIRM if said.done == CLOSE else _OF_CLOSE
    asked = [f"`{name}`" for name in others if given[name] is not None]
    if asked:
        raise BadInput(
            f"{', '.join(asked)} would mean nothing with `done: {said.done}`",
            next_step="Leave that out, or say what else was done.",
        )
    if said.done == CLOSE and said.reason is None:
        raise BadInput("a close needs a reason, and none was given", next_step="Say what was done.")


def _text(params: Mapping[str, object], name: str) -> str | None:
    """The text; an empty one is none."""
    given = params.get(name)
    if given is not None and not isinstance(given, str):
        raise BadInput(f"`{name}` is not a name", next_step="Write one, as the inventory has it.")
    return (given or "").strip() or None


def _number(given: object) -> int | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise BadInput("`version` is not a version", next_step="Write its number, or leave it out.")
    return given


def _day(given: object) -> datetime | None:
    if given is None:
        return None
    try:
        day = datetime.strptime(str(given), "%Y-%m-%d") if _DAY.fullmatch(str(given)) else None  # noqa: DTZ007 - below
    except ValueError:
        day = None
    if day is None:
        raise BadInput(
            "`changed_on` is not a day", next_step="Write it as 2026-11-28, or leave it out for now."
        )
    return day.replace(tzinfo=timezone.utc)


def _offered(environ: Mapping[str, str]) -> Mapping[str, list[str]]:
    """What people do by hand; a task does not need it and is spared the reading."""
    if get_parsing_context().task_id is not None:
        return {}
    try:
        return by_hand(read_settings(environ).include)
    except BadInput:
        return {}
