"""Our marks in CURRENT's note: they fit, they end, and the person's text around them is not touched."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitwarden_vault.note import FENCE, read_note
from credential_rotation.journal.current_note import (
    MOST_BYTES,
    MOST_CHARACTERS,
    MOST_HISTORY,
    Marks,
    NoteDoesNotFit,
    read_history_line,
    read_marks,
    with_marks,
)

NOW = datetime(2026, 11, 25, 12, 30, tzinfo=timezone.utc)


def marked(note: str, epoch: int = 1, attempt: str = "c0ffee", *, times: int = 1) -> str:
    """The note after so many rotations in a row, one a day."""
    for number in range(times):
        note = with_marks(note, Marks(epoch + number, attempt), now=NOW + timedelta(days=number))
    return note


def history(note: str) -> tuple[str, ...]:
    block = read_note(note)
    assert block is not None
    return block.history


def test_marks_are_read_as_they_were_written() -> None:
    """Version and attempt; a note that we never wrote has none."""
    assert read_marks(marked("Ask Kim.", 7)) == Marks(7, "c0ffee")
    assert read_marks("Ask Kim.") is None
    assert read_marks("") is None


@given(st.text(max_size=300), st.integers(0, 10**6), st.integers(1, 3))
def test_a_persons_text_survives_every_rotation(note: str, epoch: int, times: int) -> None:
    """Byte for byte, before ours, and the last rotation is the one that counts."""
    text = marked(note, epoch, times=times)
    assert text.startswith(note)
    assert read_marks(text) == Marks(epoch + times - 1, "c0ffee")


@given(st.text(max_size=100), st.text(max_size=100))
def test_text_behind_our_marks_survives_too(before: str, behind: str) -> None:
    """Somebody wrote on below the block."""
    text = marked(f"{marked(before)}\n{behind}", 2)
    assert text.startswith(before)
    assert text.endswith(f"\n{behind}")


def test_what_others_wrote_into_the_block_stays() -> None:
    """Fields of a later version of ours are not lost."""
    note = f'{FENCE}\n{{"epoch": "1", "attempt": "a", "region": "eu-1"}}\n```'
    block = read_note(marked(note, 2))
    assert block is not None
    assert dict(block.fields) == {"epoch": "2", "attempt": "c0ffee", "region": "eu-1"}


def test_what_readers_are_told_first_yields_to_a_person_and_what_always_holds_does_not() -> None:
    """A person knows better where readers connect; who logs in is the rotation's."""
    note = f'{FENCE}\n{{"host": "pooler", "login": "old"}}\n```'
    told = {"host": "db", "port": "5432"}
    block = read_note(with_marks(note, Marks(1, "a"), now=NOW, first=told, always={"login": "new"}))
    assert block is not None
    assert block.fields == {"host": "pooler", "port": "5432", "login": "new", "epoch": "1", "attempt": "a"}


@pytest.mark.parametrize(
    "epoch",
    ["", "seven", "-1", "1.0", "\u0661", "9" * 5_000],
    ids=["empty", "a word", "negative", "a fraction", "a digit of another script", "absurdly long"],
)
def test_marks_that_make_no_sense_are_none(epoch: str) -> None:
    """A person's edit of our block is no reason to fail: CURRENT is then a value that nobody marked."""
    note = f"{FENCE}\n{json.dumps({'epoch': epoch, 'attempt': 'a'})}\n```"
    assert read_marks(note) is None
    if len(note) < MOST_CHARACTERS - 500:
        assert read_marks(marked(note, 3)) == Marks(3, "c0ffee")


# --- history and room ----------------------------------------------------------------------------------


def test_history_is_for_people() -> None:
    """One line a rotation, oldest first, in UTC."""
    assert history(marked("", 7, times=2)) == (
        "2026-11-25 12:30 UTC: version 7",
        "2026-11-26 12:30 UTC: version 8",
    )


def test_history_ends() -> None:
    """After hundreds of rotations the note is as long as after twenty."""
    text = marked("Ask Kim.", 1000, times=300)
    assert len(history(text)) == MOST_HISTORY
    assert history(text)[-1].endswith("version 1299")
    assert len(text) == len(marked("Ask Kim.", 1000, times=MOST_HISTORY))


@pytest.mark.parametrize("character", ["x", "é", "€", "😀"])
def test_history_gives_way_to_a_persons_text(character: str) -> None:
    """What they wrote is worth more than our oldest lines; the limits are kept in characters and bytes."""
    note = character * min(MOST_CHARACTERS - 400, (MOST_BYTES - 400) // len(character.encode()))
    text = marked(note, times=30)
    assert text.startswith(note)
    assert len(text) <= MOST_CHARACTERS
    assert len(text.encode()) <= MOST_BYTES
    assert 1 <= len(history(text)) < MOST_HISTORY
    assert history(text)[-1].endswith("version 30")
    assert read_marks(text) == Marks(30, "c0ffee")


@pytest.mark.parametrize("character", ["x", "é", "😀"])
def test_a_note_that_leaves_no_room_is_refused_and_the_limits_are_told(character: str) -> None:
    """Cutting a person's text is not ours to do; the limits that count are told."""
    room = min(MOST_CHARACTERS, MOST_BYTES // len(character.encode()))
    with pytest.raises(NoteDoesNotFit) as refusal:
        marked(character * (room - 20))
    assert str(MOST_CHARACTERS) in str(refusal.value)
    assert str(MOST_BYTES) in str(refusal.value)
    assert character * 3 not in str(refusal.value)


def test_the_limits_are_within_bitwardens() -> None:
    """7000 characters in the SDK; 10000 of ciphertext on the server, which hold 7439 bytes."""
    assert MOST_CHARACTERS <= 7000
    assert MOST_BYTES <= 7439


@given(st.integers(0, 999_999_999), st.datetimes(datetime(2000, 1, 1), datetime(2999, 1, 1)))  # noqa: DTZ001 - below
def test_a_line_of_the_history_is_read_as_it_was_written(epoch: int, at: datetime) -> None:
    """Evidence takes from it when a version became CURRENT, where nothing else is left that tells."""
    now = at.replace(tzinfo=timezone.utc)
    [line] = history(with_marks("", Marks(epoch, "c0ffee"), now=now))
    assert read_history_line(line) == (epoch, now.replace(second=0, microsecond=0))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "rubbish",
        "2026-13-45 12:30 UTC: version 7",
        "2026-11-25 12:30 UTC: version 1234567890",
        "version 7",
    ],
)
def test_what_is_no_line_of_ours_tells_no_version(line: str) -> None:
    """People write into notes too."""
    assert read_history_line(line) is None
