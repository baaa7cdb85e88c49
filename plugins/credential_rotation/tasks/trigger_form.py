"""The trigger form, and what a run was asked for: whatever the form lets through, the task reads again.

Rules this file keeps:
- The form offers the names of the inventory; a broken inventory never breaks the DAG.
- What is asked for in a way that cannot mean anything is refused, never ignored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from airflow.sdk import Param, get_parsing_context

from credential_rotation.errors import BadInput
from credential_rotation.inventory.kept import names_by_engine
from credential_rotation.policy import Request
from credential_rotation.settings import read_settings

MOST_REASON = 500
PAUSED = "While this DAG is paused, a run of it stays queued and does nothing."
_KNOWN = ("credentials", "reason", "not_before", "force", "dry_run", "revoke")
WARNING = (
    "For values that may be in wrong hands. Each chosen one is replaced and its old value dies at once: no "
    "grace, open sessions are ended, whoever still holds it is refused. Pause, window and brake do not hold "
    "it up. Needs a reason. With Dry run it tells what it will break, and changes nothing."
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a run was asked for."""

    names: tuple[str, ...]
    """Empty: all that are due."""
    request: Request
    dry_run: bool


class _Names(list[str]):
    """Names that nobody changes: Airflow copies the form for each task it makes, and would copy each name."""

    def __deepcopy__(self, _: object) -> _Names:
        return self


def rotation_params(engines: Sequence[str], environ: Mapping[str, str]) -> dict[str, Param]:
    """The form of a rotating DAG."""
    return {
        "credentials": _credentials(engines, environ, "Which to rotate now. None: all that are due."),
        "reason": Param(
            None,
            type=["null", "string"],
            maxLength=MOST_REASON,
            title="Reason",
            description="Kept as evidence. Required when forced, and in compromise mode.",
        ),
        "not_before": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Not before",
            description="Begin no earlier than this. The run waits for some minutes (ROTATION_SETTLE and two "
            "more); a later time ends it, and nothing asks again by itself.",
        ),
        "force": Param(
            False,  # noqa: FBT003 - a form's default
            type="boolean",
            title="Force",
            description="Rotate in spite of the policy's pause and window; where no stored value works, an "
            "admin sets a new one. Needs a reason.",
        ),
        "dry_run": Param(
            False,  # noqa: FBT003 - a form's default
            type="boolean",
            title="Dry run",
            description="Look and ask the target; change nothing.",
        ),
        "revoke": Param(
            False,  # noqa: FBT003 - a form's default
            type="boolean",
            title="Compromise mode",
            description=WARNING,
        ),
    }


def choice_params(engines: Sequence[str], environ: Mapping[str, str]) -> dict[str, Param]:
    """The form of a DAG that begins nothing: which credentials, all by default."""
    return {"credentials": _credentials(engines, environ, "Which. None: all.")}


def wish_of(
    conf: Mapping[str, object], params: Mapping[str, object], *, at: datetime, by: str | None
) -> Wish:
    """What a run was asked for; `by` is None for a scheduled one. Raises: BadInput."""
    insist_on_known(conf, _KNOWN)
    names = _names(params.get("credentials"))
    force, dry_run, revoke = (switch_in(params, name) for name in ("force", "dry_run", "revoke"))
    reason, not_before = reason_in(params.get("reason")), _moment(params.get("not_before"))
    if revoke:
        _insist_on_exactness(names, not_before)
    if force and not names:
        raise BadInput(
            "forced, but no credential is chosen",
            next_step="Choose the credentials that are to be rotated in spite of their policies.",
        )
    request = Request(
        at=at,
        by=by or "schedule",
        now=bool(names) and by is not None,
        force=force or revoke,
        reason=reason,
        revoke=revoke,
        not_before=not_before,
    )
    return Wish(names, request, dry_run)


def is_compromise(params: Mapping[str, object]) -> bool:
    """Whether a run is to revoke, and not only to tell what that would break."""
    return params.get("revoke") is True and not is_dry_run(params)


def is_dry_run(params: Mapping[str, object]) -> bool:
    """Whether a run only looks."""
    return params.get("dry_run") is True


def insist_on_choice(wish: Wish) -> None:
    """Of a DAG that begins nothing: refuse what it would pass over. Raises: BadInput."""
    asked, request = [], wish.request
    for name, is_asked in (
        ("revoke", request.revoke),
        ("force", request.force and not request.revoke),
        ("dry_run", wish.dry_run),
        ("not_before", request.not_before is not None),
    ):
        if is_asked:
            asked.append(f"`{name}`")
    if asked:
        raise BadInput(
            f"this DAG begins nothing new, and {', '.join(asked)} would mean nothing here",
            next_step="Trigger the rotating DAG of these credentials instead, or leave that out.",
        )


def _insist_on_exactness(names: tuple[str, ...], not_before: datetime | None) -> None:
    if not names:
        raise BadInput(
            "compromise mode, but no credential is chosen",
            next_step="Choose exactly those whose values may be in wrong hands; it never means all.",
        )
    if not_before is not None:
        raise BadInput(
            "compromise mode begins at once, and `not_before` says to wait",
            next_step="Leave `not_before` empty; or rotate without compromise mode at that time.",
        )


def _names(given: object) -> tuple[str, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or not all(map(_is_name, given)):
        raise BadInput(
            "`credentials` is not a list of names", next_step='Write them as ["warehouse-etl", "reporting"].'
        )
    return tuple(dict.fromkeys(given))


def _is_name(given: object) -> bool:
    return isinstance(given, str) and given != "" and given.isprintable()


def insist_on_known(conf: Mapping[str, object], known: Sequence[str]) -> None:
    """Raises: BadInput (a run's configuration has what no field of its form is)."""
    unknown = sorted(set(conf) - set(known))
    if unknown:
        raise BadInput(
            f"unknown in the run's configuration: {on_one_line(', '.join(unknown)[:200])}",
            next_step=f"Known are {', '.join(known)}. Trigger the DAG again with these.",
        )


def reason_in(given: object) -> str | None:
    """The text, if it is one. Raises: BadInput."""
    if given is None:
        return None
    if not isinstance(given, str) or len(given) > MOST_REASON:
        raise BadInput(
            f"`reason` is not a text of at most {MOST_REASON} characters", next_step="Say why, in a sentence."
        )
    return on_one_line(given).strip() or None


def on_one_line(text: str) -> str:
    """A line break could be taken for the log's own, and no database keeps a NUL or half a character."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _moment(given: object) -> datetime | None:
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(str(given).replace("Z", "+00:00"))
        in_utc = moment.astimezone(timezone.utc) if moment.tzinfo else None
    except (ValueError, OverflowError):  # the first and last hours that there are have no UTC
        in_utc = None
    if in_utc is None:
        raise BadInput(
            "`not_before` is not a moment with a time zone", next_step="Write it as 2026-11-28T02:00:00Z."
        )
    return in_utc


def switch_in(params: Mapping[str, object], name: str) -> bool:
    """True or false. Raises: BadInput."""
    given = params.get(name, False)
    if not isinstance(given, bool):
        raise BadInput(
            f"`{name}` is neither true nor false", next_step="Write true or false, without quotes."
        )
    return given


def _credentials(engines: Sequence[str], environ: Mapping[str, str], description: str) -> Param:
    names = _Names(_offered(engines, environ))
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
        names = names_by_engine(read_settings(environ).include)
    except BadInput:
        return []
    return [name for engine in engines for name in names.get(engine, ())]
