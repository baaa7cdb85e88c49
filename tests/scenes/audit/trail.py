"""An audit trail written by the product itself, and the ways in which somebody may spoil it."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bitwarden_vault.audit import segments as audit_segments
from bitwarden_vault.audit.findings import ChainCheck, Finding
from bitwarden_vault.audit.line import Seal
from bitwarden_vault.audit.segments import Segments
from bitwarden_vault.audit.verify import verify

KEY = Seal(b"a key of thirty-two characters!!")


@dataclass(frozen=True, slots=True)
class Trail:
    """All files of a trail, in memory."""

    segments: dict[str, bytes]
    checkpoints: dict[str, bytes]
    seals: list[Seal] = field(default_factory=lambda: [KEY])

    @property
    def names(self) -> list[str]:
        """The segments, in the order in which they were written."""
        return sorted(self.segments)

    def lines(self, name: str) -> list[bytes]:
        """With their line breaks."""
        return self.segments[name].splitlines(keepends=True)

    def check(self) -> ChainCheck:
        """The one chain."""
        (found,) = verify(self.segments, self.checkpoints, self.seals)
        return found

    def findings(self) -> list[Finding]:
        """What is wrong with it."""
        return self.check().findings

    def spoiled(self, name: str, lines: list[bytes] | None) -> "Trail":
        """The same with other lines in one segment; None removes the file."""
        changed = {**self.segments, name: b"".join(lines or ())}
        if lines is None:
            del changed[name]
        return Trail(changed, self.checkpoints, self.seals)


def write_trail(
    folder: Path, lines: int = 17, per_segment: int = 5, *, seal: Seal = KEY, ends: bool = True
) -> Trail:
    """By the agent's own code, with short segments."""
    usual, audit_segments.MOST_LINES = audit_segments.MOST_LINES, per_segment
    try:
        written = Segments(str(folder), str(folder / "checkpoints"), seal)
        for number in range(lines):
            written.add({"operation": "get_secret", "request": number})
        if ends:
            written.end()
        else:
            written.settle()
    finally:
        audit_segments.MOST_LINES = usual
    return read_trail(folder, [seal] if seal.key else [])


def read_trail(folder: Path, seals: list[Seal] | None = None) -> Trail:
    """What lies in a folder."""
    return Trail(
        {one.name: one.read_bytes() for one in folder.glob("*.jsonl")},
        {one.name: one.read_bytes() for one in (folder / "checkpoints").glob("*.checkpoint")},
        seals or [],
    )


def said(folder: Path) -> list[dict[str, Any]]:
    """All lines of all agents, headers and other words of the trail's own left out.

    A last line without its end is none: an agent may be writing it at this moment, or died of it.
    """
    wholes = (file.read_bytes().rpartition(b"\n")[0] for file in sorted(folder.glob("*.jsonl")))
    found = [json.loads(line) for whole in wholes for line in whole.splitlines()]
    return [line for line in found if "outcome" in line]
