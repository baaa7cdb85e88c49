"""Exceptions in the daily digest: those that have expired come back, and mistakes in their file are told."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from credential_rotation.errors import BadInput
from credential_rotation.inventory.exceptions import load_exceptions
from credential_rotation.planning.watchdog import Finding


def exceptions_to_tell(include: Path, now: datetime) -> list[Finding]:
    """One finding for each; a file that cannot be read is one too."""
    try:
        exceptions = load_exceptions(include)
    except BadInput as wrong:
        return [Finding("", f"exceptions: {wrong.what}")]
    found = [Finding("", f"exception with a mistake: {one}") for one in exceptions.mistakes]
    return found + [
        Finding(
            one.credential,
            f"an exception has expired: {one.what}, until {one.until:%Y-%m-%d} ({one.reason}). "
            f"End what it was for, or set another day at {one.source}",
            one.owner,
        )
        for one in exceptions.expired(now)
    ]
