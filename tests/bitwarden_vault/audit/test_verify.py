"""Whatever is done to a trail afterwards is found and named by its place; what a crash leaves is a note."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitwarden_vault.audit.line import Seal, opened, sealed
from bitwarden_vault.errors import Misconfigured
from scenes.audit.trail import KEY, Trail, write_trail


@pytest.fixture(scope="module")
def trail(tmp_path_factory: pytest.TempPathFactory) -> Trail:
    return write_trail(tmp_path_factory.mktemp("audit"))


@st.composite
def places(draw: st.DrawFn, most: int = 4) -> tuple[int, int]:
    """A segment and a line in it (from 0)."""
    return draw(st.integers(0, 3)), draw(st.integers(0, most))


def test_a_trail_that_nobody_touched_is_complete(trail: Trail) -> None:
    """Up to its last line, which says that it is the last."""
    check = trail.check()
    assert (check.findings, check.notes) == ([], [])
    assert len(trail.names) == check.segments == 5
    assert check.complete_to == check.lines == check.checkpoint == 17 + 5 + 1
    assert (check.chain, check.key, check.has_ended) == ("hmac-sha256", KEY.key_id, True)


@given(where=places())
def test_a_removed_line_is_named_by_where_it_was(trail: Trail, where: tuple[int, int]) -> None:
    """By file and line, and as removed."""
    name, line = trail.names[where[0]], where[1]
    lines = trail.lines(name)
    del lines[line]
    found = trail.spoiled(name, lines).findings()
    before = (trail.names[where[0] - 1], 6) if line == 0 and where[0] else (name, line + 1)
    assert before in {(one.file, one.line) for one in found if "removed" in one.what}
    assert min(one.sequence for one in found) == where[0] * 5 + line + 1


@given(where=places(), at=st.floats(0, 1, exclude_max=True), to=st.integers(0, 255))
def test_a_changed_byte_is_named_by_its_line(
    trail: Trail, where: tuple[int, int], at: float, to: int
) -> None:
    """Wherever in the line it is, in its digest and its line break too."""
    name, line = trail.names[where[0]], where[1]
    lines = trail.lines(name)
    place = int(at * len(lines[line]))
    if lines[line][place] == to:
        return
    lines[line] = lines[line][:place] + bytes([to]) + lines[line][place + 1 :]
    found = trail.spoiled(name, lines).findings()
    assert (name, line + 1) in {(one.file, one.line) for one in found}


@given(first=places(), second=places())
def test_two_lines_that_changed_places_are_named_both(
    trail: Trail, first: tuple[int, int], second: tuple[int, int]
) -> None:
    """Also where they stood in two files."""
    if first == second:
        return
    spoiled = {name: trail.lines(name) for name in trail.names}
    (a, i), (b, j) = ((trail.names[where[0]], where[1]) for where in (first, second))
    spoiled[a][i], spoiled[b][j] = spoiled[b][j], spoiled[a][i]
    found = Trail({n: b"".join(ls) for n, ls in spoiled.items()}, trail.checkpoints, trail.seals).findings()
    named = {(one.file, one.line) for one in found}
    if a == b:
        assert {(a, i + 1), (b, j + 1)} <= named
    else:
        assert {a, b} <= {file for file, _ in named}


@given(where=places(), times=st.integers(1, 3))
def test_a_line_that_stands_there_twice_is_named(trail: Trail, where: tuple[int, int], times: int) -> None:
    """A copy is genuine, and yet nobody wrote it."""
    name, line = trail.names[where[0]], where[1]
    lines = trail.lines(name)
    found = trail.spoiled(name, [*lines[: line + 1], *[lines[line]] * times, *lines[line + 1 :]]).findings()
    assert name in {one.file for one in found if "already" in one.what}


@given(segment=st.integers(0, 4), at=st.floats(0, 1, exclude_max=True))
def test_a_file_that_was_cut_off_is_named(trail: Trail, segment: int, at: float) -> None:
    """At any byte, in the last one too: the checkpoint knows."""
    name = trail.names[segment]
    kept = trail.segments[name][: int(at * len(trail.segments[name]))]
    found = trail.spoiled(name, [kept]).findings()
    assert found
    assert name in {one.file for one in found} or not kept.count(b"\n")


@pytest.mark.parametrize("segment", range(5))
def test_a_file_that_is_gone_is_named(trail: Trail, segment: int) -> None:
    """The first and the last one too."""
    name = trail.names[segment]
    found = trail.spoiled(name, None).findings()
    assert [(one.file, one.line) for one in found] == [(name, 0)]
    assert trail.spoiled(name, None).check().complete_to == segment * 5


def test_all_files_gone_leave_the_checkpoint_to_tell(trail: Trail) -> None:
    """Where it lies elsewhere."""
    found = Trail({}, trail.checkpoints, trail.seals).check()
    assert ("missing" in found.findings[0].what, found.complete_to) == (True, 0)


def test_a_file_under_another_name_is_found(trail: Trail) -> None:
    """Two segments whose names were exchanged."""
    one, two = trail.names[1:3]
    swapped = {**trail.segments, one: trail.segments[two], two: trail.segments[one]}
    found = Trail(swapped, trail.checkpoints, trail.seals).findings()
    assert {one, two} <= {finding.file for finding in found if finding.line == 1}


@pytest.mark.parametrize("spoil", ["missing", "changed", "another's"])
def test_a_checkpoint_that_is_missing_or_changed_is_a_finding(
    trail: Trail, tmp_path: Path, spoil: str
) -> None:
    """It is written before the first segment, so there is no moment without one."""
    (name, raw), *_ = trail.checkpoints.items()
    others = {
        "missing": {},
        "changed": {name: raw.replace(b'"ended":true', b'"ended":none')},
        "another's": {name: next(iter(write_trail(tmp_path).checkpoints.values()))},
    }
    found = Trail(trail.segments, others[spoil], trail.seals).check()
    assert name in {one.file for one in found.findings}
    assert found.complete_to == 0


def test_a_trail_made_anew_without_the_key_is_found(trail: Trail) -> None:
    """Plain digests can be made by anybody."""
    segments, checkpoints, before = {}, {}, "0" * 64
    for name in trail.names:
        made = []
        for raw in trail.lines(name):
            line = opened(KEY, raw.rstrip())
            assert line is not None
            fields = {**line.fields, "request": 0, "chain": "sha256", "key": ""}
            anew = {key: fields[key] for key in fields if key not in ("sequence", "before", "digest")}
            text, before = sealed(Seal(), line.sequence, before, anew)
            made.append(text)
        segments[name] = b"".join(made)
    for name, raw in trail.checkpoints.items():
        line = opened(KEY, raw.rstrip())
        assert line is not None
        anew = {key: line.fields[key] for key in line.fields if key not in ("sequence", "before", "digest")}
        checkpoints[name] = sealed(Seal(), line.sequence, before, anew)[0]
    assert "without a key" in Trail(segments, checkpoints, [KEY]).findings()[0].what
    assert Trail(segments, checkpoints, []).findings() == []  # so much is a chain without a key worth
    assert Trail(segments, trail.checkpoints, [KEY]).findings()


def test_without_a_key_a_line_made_anew_does_not_fit_its_neighbour(tmp_path: Path) -> None:
    """Unless all lines after it are made anew too; then the checkpoint does not fit."""
    plain = write_trail(tmp_path, seal=Seal())
    name = plain.names[2]
    lines = plain.lines(name)
    line = opened(Seal(), lines[2].rstrip())
    assert line is not None
    lines[2], _ = sealed(Seal(), line.sequence, line.before, {"operation": "nothing to see"})
    found = plain.spoiled(name, lines).findings()
    assert [(one.file, one.line, "replaced" in one.what) for one in found] == [(name, 3, True)]


def test_the_last_line_made_anew_is_not_the_one_the_checkpoint_saw(tmp_path: Path) -> None:
    """Nothing comes after it that it would have to fit."""
    plain = write_trail(tmp_path, seal=Seal())
    name = plain.names[-1]
    lines = plain.lines(name)
    line = opened(Seal(), lines[-1].rstrip())
    assert line is not None
    lines[-1], _ = sealed(Seal(), line.sequence, line.before, {"operation": "end"})
    found = plain.spoiled(name, lines).findings()
    assert [(one.file, one.line) for one in found] == [(name, len(lines))]
    assert "checkpoint" in found[0].what


def test_nothing_comes_after_an_end(tmp_path: Path) -> None:
    """Neither a line that fits, as who has the key could make it, nor a torn one."""
    trail = write_trail(tmp_path)
    name = trail.names[-1]
    last = opened(KEY, trail.lines(name)[-1].rstrip())
    assert last is not None
    more, _ = sealed(KEY, last.sequence + 1, last.digest, {"operation": "get_secret"})
    for added in (more, more[:30]):
        found = trail.spoiled(name, [trail.segments[name], added]).findings()
        assert [(one.file, "after its end" in one.what) for one in found] == [(name, True)]


@pytest.mark.parametrize("left", [1, 40, -1])
def test_what_a_kill_tears_is_noted_and_no_accusation(tmp_path: Path, left: int) -> None:
    """Beyond the checkpoint, of an agent that has not said that it ended."""
    trail = write_trail(tmp_path, lines=4, ends=False)
    (name,) = trail.names
    torn = trail.spoiled(name, [trail.segments[name], trail.lines(name)[-1][:left]]).check()
    assert (torn.findings, torn.complete_to) == ([], 5)
    assert any(f"{name}, line 6: torn" in note for note in torn.notes)


def test_the_same_under_the_checkpoint_is_one(tmp_path: Path) -> None:
    """What it covers was on the disk before it."""
    trail = write_trail(tmp_path, lines=4, ends=False)
    (name,) = trail.names
    found = trail.spoiled(name, [trail.segments[name][:-1]]).check()
    assert [(one.file, one.line) for one in found.findings] == [(name, 5)]
    assert found.complete_to == 4


def test_a_key_that_was_not_given_is_asked_for_by_its_id(trail: Trail) -> None:
    """Neither complete nor tampered with: it cannot be told."""
    for seals in ([], [Seal(b"another key of 32 characters !!!")]):
        with pytest.raises(Misconfigured, match=f"needs the key {KEY.key_id}"):
            Trail(trail.segments, trail.checkpoints, seals).check()


def test_one_of_several_keys_is_enough(trail: Trail) -> None:
    """After the key was changed, older segments need the older one."""
    assert Trail(trail.segments, trail.checkpoints, [Seal(b"x" * 32), KEY]).findings() == []
