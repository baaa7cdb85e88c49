"""The stamp on PostgreSQL: one marked line in the role's comment.

Rules this file keeps:
- A person's text around the line survives to the byte.
- There is one line of ours at most; a damaged one counts as none and is replaced by the next stamp.
"""

from __future__ import annotations

import re

from credential_rotation.model import Stamp

MARK = "credential-rotation:"

_WORD = r"[0-9A-Za-z_-]+"
_LINE = re.compile(
    rf"{MARK} epoch=(?P<epoch>[0-9]{{6,9}}) attempt=(?P<attempt>{_WORD}) journal=(?P<journal>{_WORD})"
)


def stamp_in(comment: str | None) -> Stamp | None:
    """The stamp that a role's comment carries; None where there is none, or none that can be read."""
    for line in (comment or "").split("\n"):
        found = _LINE.fullmatch(line)
        if found:
            return Stamp(int(found["epoch"]), found["attempt"], found["journal"])
    return None


def with_stamp(comment: str | None, stamp: Stamp) -> str:
    """The comment with this stamp in place of the old one, or below the person's text.

    Raises: ValueError where the stamp could not be read again.
    """
    ours = f"{MARK} epoch={stamp.epoch:06d} attempt={stamp.attempt} journal={stamp.journal}"
    if not _LINE.fullmatch(ours):
        raise ValueError("a stamp is made of a number and two plain words")
    if not comment:
        return ours
    lines = comment.split("\n")
    at = next((n for n, line in enumerate(lines) if line.startswith(MARK)), len(lines))
    theirs_after = [line for line in lines[at:] if not line.startswith(MARK)]
    return "\n".join([*lines[:at], ours, *theirs_after])
