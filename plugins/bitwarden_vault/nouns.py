"""What a vault holds and who asks for it, all frozen.

Rules this file keeps:
- Secret material lives in fields that no repr shows.
- Dates are aware and in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SecretName:
    """A secret as a list shows it: no value, no date."""

    id: str
    key: str
    project_id: str | None


@dataclass(frozen=True, slots=True)
class VaultSecret:
    """A secret with all that the SDK tells about it."""

    id: str
    key: str
    value: str = field(repr=False)
    note: str = field(repr=False)
    project_id: str | None
    creation_date: datetime
    revision_date: datetime


@dataclass(frozen=True, slots=True)
class Project:
    """A project that the machine account can see."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as the asking process itself claims; it travels with every request."""

    dag_id: str = ""
    task_id: str = ""
    run_id: str = ""
    try_number: int = 0
    user: str = ""
    """The person at the command line, where it is no task."""
    keeps_nothing: bool = False
    """It lets go of what it reads before anybody could need it to: no reader in the sense of `readers/`."""
