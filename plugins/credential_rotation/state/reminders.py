"""Which reminders were told, kept below `ROTATION_STATE_PATH`: what Slack missed is told again.

Rules this file keeps:
- Only the watchdog writes it, one run at a time.
- A folder that cannot be read or written never keeps anybody from being told: rather twice than never.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bitwarden_vault.state_folder import StateFolder, StateUnavailable
from credential_rotation.planning.reminders import Reminder, to_tell, told_now
from credential_rotation.planning.watchdog import Finding

log = logging.getLogger(__name__)

PLACE = "reminders"


@dataclass(frozen=True, slots=True)
class Reminders:
    """All of today, some of which were told before."""

    folder: StateFolder
    all: Sequence[Reminder]
    before: Mapping[str, int] = field(init=False)
    """What was told of them, by what they are about."""
    findings: list[Finding] = field(init=False)
    """Those that are to be told now."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "before", self._told())
        object.__setattr__(self, "findings", to_tell(self.all, self.before))

    def were_told(self, shown: Collection[Finding]) -> None:
        """These got through."""
        try:
            self.folder.write(PLACE, {"schema": 1, "told": told_now(self.all, self.before, shown)})
        except StateUnavailable as why:
            log.warning("what was reminded of is told again tomorrow: %s", why)

    def _told(self) -> dict[str, int]:
        try:
            told = (self.folder.read(PLACE) or {}).get("told")
        except StateUnavailable:
            return {}
        return (
            {one: stage for one, stage in told.items() if isinstance(stage, int)}
            if isinstance(told, dict)
            else {}
        )
