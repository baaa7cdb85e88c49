"""Where the inventory is and how careful to be, read from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

from credential_rotation.errors import BadInput, NotConfigured
from credential_rotation.installed import STARTER, carried_dags
from credential_rotation.times.durations import parse_duration

INCLUDE = "ROTATION_INCLUDE"
JOURNAL = "ROTATION_JOURNAL_PROJECT"
SETTLE = "ROTATION_SETTLE"
UNUSED = "ROTATION_UNUSED_AFTER"
TOKEN = "ROTATION_BWS_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
SLOTS = tuple(f"{name}{slot}" for name in ("BWS_ACCESS_TOKEN", TOKEN) for slot in ("", "_NEXT"))
"""The variables of access tokens; with `_EXPIRES` behind it each says when its token ends."""

UNUSED_AFTER = timedelta(days=90)
SETTLES_SURELY = timedelta(minutes=15)
"""The default: a write that has not landed by then never does."""
_SECONDS = re.compile(r"([1-9][0-9]{0,4})s")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says about rotations."""

    include: Path
    """The folder with `credentials/` and `policies.yaml`."""
    journal_project: str | None
    """Name or id of the Bitwarden project that holds the records; None where it is not said."""
    settle: timedelta
    """How long a write of an attempt that was not seen to end may still land."""
    unused_after: timedelta | None = UNUSED_AFTER
    """Without a known read for so long, a credential is told as unused; None: never."""
    token_ends: Mapping[str, datetime] = field(default_factory=dict)
    """When the token of each slot ends; Bitwarden does not tell, so that a person has to say it."""


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in this environment. Raises: BadInput, NotConfigured."""
    given = {name: text.strip() for name, text in environ.items() if text.strip()}
    return Settings(
        include=Path(given[INCLUDE]) if INCLUDE in given else _include_folder(given),
        journal_project=given.get(JOURNAL),
        settle=_duration(SETTLE, given[SETTLE]) if SETTLE in given else SETTLES_SURELY,
        unused_after=None
        if given.get(UNUSED) == "never"
        else (_duration(UNUSED, given[UNUSED]) if UNUSED in given else UNUSED_AFTER),
        token_ends={
            slot: _day(f"{slot}_EXPIRES", given[f"{slot}_EXPIRES"])
            for slot in SLOTS
            if f"{slot}_EXPIRES" in given
        },
    )


def _include_folder(given: Mapping[str, str]) -> Path:
    """Beside `plugins/`; a wheel has nothing of its users beside it, and takes Airflow's home."""
    if carried_dags() is None:
        return Path(__file__).resolve().parents[2] / "include"
    home = os.path.expanduser(given.get("AIRFLOW_HOME", "~/airflow"))  # noqa: PTH111 - pathlib's raises without a home
    folder = Path(home) / "include"
    if not folder.exists():
        raise NotConfigured(
            f"there is no {folder} yet, and {INCLUDE} names no other folder",
            next_step=f"To begin: copy {STARTER} there, and see docs/install/wheel.md.",
        )
    return folder


def _duration(name: str, text: str) -> timedelta:
    seconds = _SECONDS.fullmatch(text)
    if seconds is not None:
        return timedelta(seconds=int(seconds[1]))
    try:
        return parse_duration(text)
    except BadInput as wrong:
        raise BadInput(f"{name}: {wrong.what}", next_step=wrong.next_step) from None


def _day(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise BadInput(f"{name} {text[:40]!r} is no date", next_step="Write it as 2027-03-31.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
