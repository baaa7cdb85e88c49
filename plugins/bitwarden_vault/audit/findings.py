"""What a check of the audit trail says: what is wrong and where, and how far it is complete."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that no crash does."""

    file: str
    line: int
    """Where it is, or was; 0 is the file as a whole."""
    what: str
    sequence: int
    """The first place in the chain that it touches."""


@dataclass(slots=True)
class ChainCheck:
    """One agent's chain."""

    agent: str
    chain: str = ""
    key: str = ""
    segments: int = 0
    lines: int = 0
    lost: int = 0
    """Lines that the agent itself says it had to give up."""
    checkpoint: int | None = None
    """The last line that the checkpoint covers."""
    checkpoint_at: str = ""
    has_ended: bool = False
    here_to: int | None = None
    """Where the last segment is not shipped yet: the last line of those that are."""
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def complete_to(self) -> int:
        """The last line up to which nothing is missing, by the checkpoint or by the first finding."""
        touched = [one.sequence - 1 for one in self.findings]
        here = [] if self.here_to is None else [self.here_to]
        return max(0, min([*touched, *here, self.checkpoint or 0]))

    def find(self, file: str, line: int, what: str, sequence: int) -> None:
        """Note what is wrong."""
        self.findings.append(Finding(file, line, what, sequence))
