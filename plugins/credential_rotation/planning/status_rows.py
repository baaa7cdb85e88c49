"""What a planner knows of each entry, as rows for whoever looks: the page, and people with a file viewer.

Rules this file keeps:
- Told from the inventory and the names in the vault alone: no request, no value, no note.
- Where names do not tell which of two versions is in use, neither is said to be: both stand in `may_be`.
- Moments are ISO texts in UTC and durations are seconds; what is not known is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from credential_rotation.by_hand import (
    BY_HAND,
    close_command,
    confirm_command,
    how_to_close,
    how_to_confirm,
    named,
)
from credential_rotation.model import UNMANAGED_EPOCH, ApprovalRule, Credential, Policy, Window
from credential_rotation.planning.planning import Known, confirm_until, in_use, may_be_current
from credential_rotation.times.durations import write_duration
from credential_rotation.times.schedule import falls_due, promised_until

SCHEMA = 1


def status_document(
    credentials: Sequence[Credential], known: Mapping[str, Known], *, problems: Sequence[str], now: datetime
) -> dict[str, Any]:
    """All rows, and what is wrong with entries that have none."""
    return {
        "schema": SCHEMA,
        "written": now.isoformat(),
        "problems": list(problems),
        "credentials": [status_row(one, known[one.name]) for one in credentials],
    }


def status_row(credential: Credential, known: Known) -> dict[str, Any]:
    """One entry, and the version that the vault has of it."""
    own, policy, since = in_use(credential, known), credential.policy, known.open_since
    is_ours = own is not None and own.epoch != UNMANAGED_EPOCH
    may_be = [] if own else [one.epoch for one in may_be_current(credential, known) or known.records]
    return {
        "name": credential.name,
        "engine": credential.engine,
        "strategy": credential.strategy.value,
        "where": _where(credential),
        "principals": list(credential.principals),
        "owner": credential.owner,
        "tags": list(credential.tags),
        "source": credential.source,
        "vault": {"project": credential.vault.project, "key": credential.vault.key},
        "consumers": [f"{one.kind}: {one.name}" for one in credential.consumers],
        "policy": _policy(policy),
        "version": own.epoch if own else None,
        "may_be": may_be,
        **moments(policy, own.written if own and is_ours else None),
        "is_open": known.is_open,
        "open_until": _iso(since + policy.grace + policy.soak) if since else None,
        "has_current": known.has_current,
        "awaits": _awaits(credential, known),
        "by_hand": _by_hand(credential),
    }


def _by_hand(credential: Credential) -> dict[str, str] | None:
    """What a person does with what no tool can change; None for all else."""
    if credential.engine != BY_HAND:
        return None
    return {
        "instructions": credential.options["instructions"],
        "how": how_to_close(credential.name),
        "command": close_command(credential.name),
    }


def _awaits(credential: Credential, known: Known) -> list[dict[str, str | int | None]]:
    """Who takes the newest version by hand and was not said to have it, and what a person does about it."""
    until, newest = _iso(confirm_until(credential, known)), known.newest
    if newest is None:
        return []
    return [
        {
            "who": named([one]),
            "consumer": one.name,
            "version": newest.epoch,
            "attempt": newest.attempt,
            "until": until,
            "how": how_to_confirm(credential.name, one, newest.epoch),
            "command": confirm_command(credential.name, one, newest.epoch),
        }
        for one in known.awaited
    ]


def moments(policy: Policy, written: datetime | None) -> dict[str, str | None]:
    """When a version was made, when the next one is due, and when the policy's promise breaks."""
    if written is None:
        return {"written": None, "due": None, "act_by": None}
    return {
        "written": _iso(written),
        "due": _iso(falls_due(policy, written)),
        "act_by": _iso(promised_until(policy, written)),
    }


def _where(credential: Credential) -> str:
    """Host and database, or the region, as people say it."""
    host, settings = credential.target.host, credential.target.settings
    port = f":{settings['port']}" if host and "port" in settings else ""
    parts = [f"{host}{port}", settings.get("dbname", ""), settings.get("region", "")]
    return "/".join(part for part in parts if part)


def _policy(policy: Policy) -> dict[str, Any]:
    return {
        "name": policy.name,
        "max_age": _seconds(policy.max_age),
        "cron": policy.cron,
        "timezone": policy.timezone,
        "grace": _seconds(policy.grace),
        "soak": _seconds(policy.soak),
        "window": _window(policy.window),
        "pause": policy.pause,
        "is_scheduled": policy.is_scheduled,
        "approval": _approval(policy.approval),
        "words": _words(policy),
    }


def _approval(rule: ApprovalRule | None) -> dict[str, Any] | None:
    if rule is None:
        return None
    return {"within": _seconds(rule.within), "by": list(rule.by), "again": _seconds(rule.again)}


def _words(policy: Policy) -> str:
    if policy.max_age is not None:
        days, rest = divmod(policy.max_age, timedelta(days=1))
        return f"every {days} days" if days > 1 and not rest else f"every {write_duration(policy.max_age)}"
    if policy.cron is not None:
        return f"cron {policy.cron} ({policy.timezone})"
    return "only when asked"


def _window(window: Window | None) -> str | None:
    if window is None:
        return None
    opens, closes = (
        f"{span // timedelta(hours=1):02d}:{span.seconds // 60 % 60:02d}"
        for span in (window.opens, window.closes)
    )
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    days = (
        "" if len(window.days) == len(names) else f" {', '.join(names[day] for day in sorted(window.days))}"
    )
    return f"{opens} to {closes} {window.timezone}{days}"


def _seconds(length: timedelta | None) -> int | None:
    return None if length is None else int(length.total_seconds())


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
