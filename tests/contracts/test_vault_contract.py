"""What every vault promises to the attempt: the simulated one and the journal on Bitwarden alike."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta

import pytest

from credential_rotation.errors import VaultTrouble, VaultUnknown
from credential_rotation.model import Secret, Stored
from scenes.site.ground import Ground
from scenes.vault.sides import WRITTEN, BitwardenSide, SimulatedSide

pytest_plugins = ["scenes.site.fixtures"]

_numbers = itertools.count(1)
NOTE = "Ask Kim before you change this."
OLD, NEW = Secret("etl", "by-hand"), Secret("etl", "minted")


@pytest.fixture(params=["simulated", "bitwarden"])
def side(request: pytest.FixtureRequest) -> Iterator[SimulatedSide | BitwardenSide]:
    if request.param == "simulated":
        yield SimulatedSide()
        return
    ground: Ground = request.getfixturevalue("ground")
    yield BitwardenSide(ground, next(_numbers))
    ground.bitwarden.clear_faults()


Side = SimulatedSide | BitwardenSide


# --- looking -------------------------------------------------------------------------------------------


def test_nothing_is_stored_at_first(side: Side) -> None:
    """No CURRENT and no record is an answer, not an error."""
    assert side.vault.look() == Stored(None, ())


def test_what_a_person_stored_is_current_and_unmarked(side: Side) -> None:
    """It has a value, no epoch and no attempt."""
    side.put_current(OLD, NOTE)
    current = side.vault.look().current
    assert current is not None
    assert (current.secret, current.note, current.epoch, current.attempt) == (OLD, NOTE, None, None)
    assert (current.key, current.value) == ("warehouse_etl", "by-hand")


def test_the_journals_identity_stays(side: Side) -> None:
    """It is part of every stamp."""
    assert side.vault.journal
    assert side.vault.journal == side.vault.journal


def test_an_outage_is_trouble_and_over_when_it_is_over(side: Side) -> None:
    """Nothing was changed, and nothing is concluded."""
    side.put_current(OLD)
    record = side.write_down(1, "minted")
    before = side.vault.look()
    assert before.current is not None
    side.is_down(down=True)
    with pytest.raises(VaultTrouble) as trouble:
        side.vault.look()
    assert trouble.value.next_step
    with pytest.raises(VaultTrouble):
        side.vault.read_back(before.current.id)
    side.is_down(down=False)
    assert side.vault.look() == before
    assert before.records == (record,)


# --- records -------------------------------------------------------------------------------------------


def test_a_record_is_found_as_it_was_written(side: Side) -> None:
    """Epoch, attempt, moment and value come back; CURRENT is not touched."""
    side.put_current(OLD)
    current = side.vault.look().current
    record = side.write_down(7, "minted", attempt="c0ffee")
    assert (record.epoch, record.attempt, record.secret) == (7, "c0ffee", NEW)
    assert record.written == WRITTEN + timedelta(days=7)
    assert side.vault.look() == Stored(current, (record,))


def test_a_record_of_compromise_mode_says_so(side: Side) -> None:
    """Whoever looks later knows that what was before it may be in wrong hands."""
    ordinary, revoking = side.write_down(1, "minted"), side.write_down(2, "again", revokes=True)
    assert (ordinary.revokes, revoking.revokes) == (False, True)
    assert [record.revokes for record in side.vault.look().records] == [True, False]


def test_records_come_newest_first(side: Side) -> None:
    """By epoch, not by when they were written down."""
    for epoch in (2, 10, 1):
        side.write_down(epoch, f"value-{epoch}")
    assert [record.epoch for record in side.vault.look().records] == [10, 2, 1]


def test_two_records_of_one_epoch_are_two(side: Side) -> None:
    """Two runners in one moment overwrite nothing; all break the tie the same way."""
    for attempt in ("0a", "0c", "0b"):
        side.write_down(1, f"value-{attempt}", attempt=attempt)
    assert [record.attempt for record in side.vault.look().records] == ["0c", "0b", "0a"]


# --- CURRENT -------------------------------------------------------------------------------------------


def test_promote_replaces_and_keeps_what_is_a_persons(side: Side) -> None:
    """Id, key and the person's note stay; value, epoch and attempt are the new version's."""
    side.put_current(OLD, NOTE)
    before = side.vault.look().current
    assert before is not None
    record = side.write_down(1, "minted")
    current_id = side.vault.promote(before, record, attempt="beef", now=WRITTEN)
    after = side.vault.read_back(current_id)
    assert current_id == before.id
    assert (after.key, after.secret, after.epoch, after.attempt) == ("warehouse_etl", NEW, 1, "beef")
    assert after.note.startswith(NOTE)
    assert after.revised >= before.revised
    assert side.vault.look() == Stored(after, (record,))


def test_promote_creates_current_where_there_is_none(side: Side) -> None:
    """Under the entry's key, and only then."""
    record = side.write_down(1, "minted")
    current_id = side.vault.promote(None, record, attempt="beef", now=WRITTEN)
    current = side.vault.look().current
    assert current is not None
    assert (current.id, current.key, current.secret) == (current_id, "warehouse_etl", NEW)
    assert (current.epoch, current.attempt) == (1, "beef")


def test_promote_is_safe_to_repeat(side: Side) -> None:
    """The same value twice is the same CURRENT."""
    side.put_current(OLD)
    record = side.write_down(1, "minted")
    for _ in range(2):
        side.vault.promote(side.vault.look().current, record, attempt="beef", now=WRITTEN)
    stored = side.vault.look()
    assert stored.current is not None
    assert (stored.current.secret, stored.records) == (NEW, (record,))


def test_a_current_that_somebody_deleted_meanwhile_is_trouble(side: Side) -> None:
    """Neither written again nor made up: a person took it away."""
    side.put_current(OLD)
    before = side.vault.look().current
    record = side.write_down(1, "minted")
    side.trash_current()
    with pytest.raises(VaultTrouble):
        side.vault.promote(before, record, attempt="beef", now=WRITTEN)
    assert before is not None
    with pytest.raises(VaultTrouble):
        side.vault.read_back(before.id)
    assert side.vault.look() == Stored(None, (record,))


def test_room_is_reserved_without_a_trace(side: Side) -> None:
    """With and without a CURRENT: nothing is written, and what follows goes through."""
    side.vault.reserve(None)
    side.put_current(OLD, NOTE)
    before = side.vault.look()
    side.vault.reserve(before.current)
    assert side.vault.look() == before
    record = side.write_down(1, "minted")
    side.vault.promote(before.current, record, attempt="beef", now=WRITTEN)


# --- deleting ------------------------------------------------------------------------------------------


def test_what_is_deleted_is_gone_and_the_rest_stays(side: Side) -> None:
    """Only what was named."""
    side.put_current(OLD)
    kept, *others = [side.write_down(epoch, f"value-{epoch}") for epoch in (1, 2, 3)]
    side.vault.delete(tuple(record.id for record in others))
    stored = side.vault.look()
    assert stored.records == (kept,)
    assert stored.current is not None


def test_what_is_gone_already_is_no_trouble(side: Side) -> None:
    """Nor does it keep the others from being deleted."""
    first, second = side.write_down(1, "one"), side.write_down(2, "two")
    side.vault.delete((first.id,))
    side.vault.delete((first.id, second.id))
    side.vault.delete((second.id,))
    assert side.vault.look().records == ()


# --- writes whose outcome is unknown -------------------------------------------------------------------


def test_a_record_whose_answer_was_lost_is_found(side: Side) -> None:
    """Success, and there is one of it."""
    side.next_write("answer lost")
    record = side.write_down(1, "minted")
    assert side.vault.look().records == (record,)


def test_a_record_that_never_arrived_is_not_there(side: Side) -> None:
    """Unknown is said, and nothing is applied; the next look shows none."""
    side.next_write("never arrives")
    with pytest.raises(VaultUnknown):
        side.write_down(1, "minted")
    assert side.vault.look().records == ()


def test_a_record_that_lands_late_is_unknown_and_seen_later(side: Side) -> None:
    """It overwrites nothing: it is one more record."""
    side.next_write("late")
    with pytest.raises(VaultUnknown):
        side.write_down(1, "late")
    other = side.write_down(2, "other")
    side.let_late_writes_land()
    records = side.vault.look().records
    assert [record.epoch for record in records] == [2, 1]
    assert records[0] == other


@pytest.mark.parametrize("stored", [True, False], ids=["replaced", "created"])
def test_a_current_whose_answer_was_lost_is_read_back(side: Side, *, stored: bool) -> None:
    """Success: what Bitwarden holds is what was sent."""
    if stored:
        side.put_current(OLD)
    before = side.vault.look().current
    record = side.write_down(1, "minted")
    side.next_write("answer lost")
    current_id = side.vault.promote(before, record, attempt="beef", now=WRITTEN)
    current = side.vault.look().current
    assert current is not None
    assert (current.id, current.secret, current.attempt) == (current_id, NEW, "beef")


@pytest.mark.parametrize("stored", [True, False], ids=["replaced", "created"])
def test_a_current_that_never_arrived_is_unknown(side: Side, *, stored: bool) -> None:
    """What was there stays."""
    if stored:
        side.put_current(OLD)
    before = side.vault.look()
    record = side.write_down(1, "minted")
    side.next_write("never arrives")
    with pytest.raises(VaultUnknown):
        side.vault.promote(before.current, record, attempt="beef", now=WRITTEN)
    assert side.vault.look() == Stored(before.current, (record,))


def test_a_current_that_lands_late_is_unknown_and_seen_later(side: Side) -> None:
    """Between the two nobody may conclude anything."""
    side.put_current(OLD)
    before = side.vault.look().current
    record = side.write_down(1, "minted")
    side.next_write("late")
    with pytest.raises(VaultUnknown):
        side.vault.promote(before, record, attempt="beef", now=WRITTEN)
    assert side.vault.look().current == before
    side.let_late_writes_land()
    current = side.vault.look().current
    assert current is not None
    assert (current.secret, current.epoch) == (NEW, 1)


def test_a_delete_whose_answer_was_lost_is_looked_up(side: Side) -> None:
    """The record is gone: success."""
    record = side.write_down(1, "minted")
    side.next_write("answer lost")
    side.vault.delete((record.id,))
    assert side.vault.look().records == ()


def test_a_delete_that_never_arrived_is_unknown(side: Side) -> None:
    """The record is still there, and the next pass deletes it."""
    record = side.write_down(1, "minted")
    side.next_write("never arrives")
    with pytest.raises(VaultUnknown):
        side.vault.delete((record.id,))
    assert side.vault.look().records == (record,)
    side.vault.delete((record.id,))
    assert side.vault.look().records == ()
