"""Whether an audit trail is as its agents wrote it, and if not, which line or file tells.

Rules this file keeps:
- What a crash leaves (a torn last line beyond the checkpoint) is a note; all else that differs is a finding.
- Every finding names a file and a line; of what is gone, the place where it was.
- A line is believed only when its own digest fits; what a changed line says of itself counts for nothing.
- No file and no line that somebody puts in keeps the others from being checked, or whoever checks waiting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bitwarden_vault.audit.findings import ChainCheck
from bitwarden_vault.audit.line import GENESIS, PLAIN, AuditLine, Seal, opened, read
from bitwarden_vault.audit.places import CHECKPOINT, parse_segment_name, segment_name
from bitwarden_vault.errors import Misconfigured

MOST_NAMED = 50
"""Segments that are missing in one place; numbers in names are anybody's."""
_KEY_ID = re.compile("[0-9a-f]{8}")


def verify(
    segments: Mapping[str, bytes],
    checkpoints: Mapping[str, bytes],
    seals: Sequence[Seal] = (),
    *,
    is_shipped: bool = False,
) -> list[ChainCheck]:
    """All chains; files by name. Where they were shipped to, the segment being written is not there yet.

    Raises: Misconfigured (a key that is needed was not given).
    """
    numbers: dict[str, list[int]] = {}
    for name in segments:
        parsed = parse_segment_name(name)
        if parsed is not None:
            numbers.setdefault(parsed[0], []).append(parsed[1])
    agents = {name.removesuffix(CHECKPOINT) for name in checkpoints if name.endswith(CHECKPOINT)}
    return [
        _Chain(agent, sorted(numbers.get(agent, [])), segments, checkpoints, seals).check(
            is_shipped=is_shipped
        )
        for agent in sorted(agents | numbers.keys())
    ]


@dataclass(slots=True)
class _Spot:
    """A line in the order of the chain; `line` is None where its digest does not fit."""

    file: str
    number: int
    sequence: int
    line: AuditLine | None


class _Chain:
    """One agent's segments, read one after the other."""

    def __init__(
        self,
        agent: str,
        numbers: list[int],
        segments: Mapping[str, bytes],
        checkpoints: Mapping[str, bytes],
        seals: Sequence[Seal],
    ) -> None:
        self._check = ChainCheck(agent, segments=len(numbers))
        self._numbers, self._segments = numbers, segments
        self._checkpoint_name = f"{agent}{CHECKPOINT}"
        self._raw_checkpoint = checkpoints.get(self._checkpoint_name, b"").rstrip(b"\n")
        self._seal = self._find_seal(seals)
        self._checkpoint = opened(self._seal, self._raw_checkpoint)
        self._last = _Spot(segment_name(agent, 1), 0, 0, AuditLine(0, "", GENESIS, {}))
        self._torn = False

    def check(self, *, is_shipped: bool) -> ChainCheck:
        """Check the checkpoint, each segment in its order, and the end."""
        self._look_at_checkpoint()
        previous = 0
        for number in self._numbers:
            gone = range(previous + 1, number)
            self._segment(number, gone, is_last=number == self._numbers[-1])
            previous = number
        self._look_at_end(is_shipped=is_shipped)
        return self._check

    def _find_seal(self, seals: Sequence[Seal]) -> Seal:
        """The one that fits; which one it should be is said by lines that nobody has checked yet."""
        firsts = [
            self._segments[segment_name(self._check.agent, one)].partition(b"\n")[0]
            for one in self._numbers[:3]
        ]
        claims = [self._raw_checkpoint, *firsts]
        fitting = [seal for seal in (*seals, Seal()) if any(opened(seal, one) for one in claims)]
        if not fitting:
            said = (str((read(one) or {}).get("key")) for one in claims)
            wanted = {one for one in said if _KEY_ID.fullmatch(one)}
            if wanted - {seal.key_id for seal in seals}:
                raise Misconfigured(
                    f"the trail needs the key {' or '.join(sorted(wanted))}: name its file with --key"
                )
        seal = fitting[0] if fitting else (*seals, Seal())[0]
        self._check.chain, self._check.key = seal.chain, seal.key_id
        if seals and seal.chain == PLAIN:
            what = "it was written without a key: whoever can write this folder could have made it"
            self._check.find(segment_name(self._check.agent, 1), 0, what, 1)
        return seal

    # The checkpoint

    def _look_at_checkpoint(self) -> None:
        found, check = self._checkpoint, self._check
        if found is None:
            what = "the checkpoint was changed" if self._raw_checkpoint else "the checkpoint is missing"
            check.find(self._checkpoint_name, 1 if self._raw_checkpoint else 0, what, 1)
        elif found.fields.get("agent") != check.agent:
            check.find(self._checkpoint_name, 1, "it is another agent's checkpoint", 1)
        else:
            check.checkpoint, check.checkpoint_at = found.sequence, str(found.fields.get("at"))
            check.has_ended = found.fields.get("ended") is True

    def _look_at_end(self, *, is_shipped: bool) -> None:
        check, last = self._check, self._last
        covered = check.checkpoint or 0
        if covered > last.sequence:
            self._look_for_end(covered, is_shipped=is_shipped)
        elif check.has_ended and (last.sequence > covered or self._torn):
            check.find(last.file, last.number, "it goes on after its end", covered + 1)
        elif not check.has_ended:
            check.notes.append(
                "it has not ended: the agent runs, or was killed; "
                f"that a line after {covered} is missing at the end would not be seen"
            )

    def _look_for_end(self, covered: int, *, is_shipped: bool) -> None:
        """Lines that the checkpoint covers, and that are not here."""
        check, last = self._check, self._last
        lines = f"lines {last.sequence + 1} to {covered} of the chain, which the checkpoint covers"
        found = self._checkpoint.fields.get("number") if self._checkpoint is not None else None
        if not isinstance(found, int) or found <= max(self._numbers, default=0):
            check.find(last.file, last.number + 1, f"cut off: {lines}", last.sequence + 1)
            return
        name = segment_name(check.agent, found)
        if is_shipped and not check.has_ended and found == max(self._numbers, default=0) + 1:
            check.here_to = last.sequence
            check.notes.append(f"{name} is not shipped yet, with {lines}")
        else:
            check.find(name, 0, f"the segment is missing, with {lines}", last.sequence + 1)

    # One segment

    def _segment(self, number: int, gone: range, *, is_last: bool) -> None:
        name = segment_name(self._check.agent, number)
        *whole, torn = self._segments[name].split(b"\n")
        lines = [opened(self._seal, raw) for raw in whole]
        self._check.lines += len(lines)
        spots = self._spots(name, lines)
        self._look_at_header(name, number, lines)
        self._look_at_order(spots)
        for spot in sorted(spots, key=lambda one: one.sequence):
            self._follow(spot, gone)
        if gone and not spots:
            self._look_for(gone, self._last.sequence + 1, "")
        if torn:
            self._tear(name, len(whole) + 1, is_last=is_last)

    def _spots(self, name: str, lines: Sequence[AuditLine | None]) -> list[_Spot]:
        """All lines with their place in the chain; a changed one is taken for the one that follows."""
        known = {line.sequence for line in lines if line is not None}
        spots, before = [], self._last.sequence
        for number, line in enumerate(lines, 1):
            if line is None:
                before += before + 1 not in known
                self._check.find(name, number, "changed, or put in: its digest does not fit", before)
                spots.append(_Spot(name, number, before, None))
            else:
                before = line.sequence
                spots.append(_Spot(name, number, before, line))
        return spots

    def _look_at_header(self, name: str, number: int, lines: Sequence[AuditLine | None]) -> None:
        first = lines[0] if lines else None
        if first is not None:
            said = [first.fields.get(one) for one in ("operation", "agent", "number")]
            if said != ["segment", self._check.agent, number]:
                self._check.find(name, 1, "this is not the header of this file", first.sequence)

    def _look_at_order(self, spots: Sequence[_Spot]) -> None:
        ordered = sorted(spots, key=lambda one: one.sequence)
        for spot, wanted in zip(spots, ordered, strict=True):
            if spot is not wanted:
                what = f"out of order: it holds line {spot.sequence} of the chain"
                self._check.find(spot.file, spot.number, what, min(spot.sequence, wanted.sequence))

    def _follow(self, spot: _Spot, gone: range) -> None:
        """Whether a line comes right after the last one."""
        last, line = self._last, spot.line
        if spot.sequence <= last.sequence:
            if line is not None:
                what = f"line {spot.sequence} of the chain was there already"
                self._check.find(spot.file, spot.number, what, spot.sequence)
            return
        if spot.sequence > last.sequence + 1:
            self._look_for(
                gone if spot.file != last.file else range(0), last.sequence + 1, f" to {spot.sequence - 1}"
            )
        elif line is not None and last.line is not None and line.before != last.line.digest:
            what = "replaced: the line after it was made for another one"
            self._check.find(last.file, last.number, what, last.sequence)
        if line is not None:
            self._compare(spot, line)
        self._last = spot

    def _compare(self, spot: _Spot, line: AuditLine) -> None:
        if line.fields.get("operation") == "lost":
            lost = line.fields.get("lines")
            self._check.lost += lost if isinstance(lost, int) else 0
        seen = self._checkpoint
        if seen is not None and seen.sequence == line.sequence and seen.before != line.digest:
            self._check.find(
                spot.file, spot.number, "it is not the line that the checkpoint saw", line.sequence
            )

    def _look_for(self, gone: range, first: int, to: str) -> None:
        """What is missing between two lines: whole files, or lines of one."""
        what = f"the segment is missing, with lines {first}{to} of the chain"
        for number in gone[:MOST_NAMED]:
            self._check.find(segment_name(self._check.agent, number), 0, what, first)
        if gone[MOST_NAMED:]:
            name = segment_name(self._check.agent, gone[-1])
            self._check.find(name, 0, f"{what}, and all between it and the one before", first)
        if not gone:
            what = f"removed: lines {first}{to} of the chain"
            self._check.find(self._last.file, self._last.number + 1, what, first)

    def _tear(self, name: str, number: int, *, is_last: bool) -> None:
        sequence = self._last.sequence + 1
        if not is_last:
            self._check.find(name, number, "cut off in the middle of a line", sequence)
        elif sequence > (self._check.checkpoint or 0):
            self._torn = True
            self._check.notes.append(f"{name}, line {number}: torn, as by a kill or a full disk; not counted")
