"""What CURRENT's note tells its readers: they keep no value longer than it can work, and can connect."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bitwarden_vault.backend.connection_form import connection_text
from bitwarden_vault.formats import Login, Server, first_value
from bitwarden_vault.note import NoteBlock, write_note
from credential_rotation.journal.reader_notes import fields_for_readers, first_fields
from credential_rotation.model import Secret
from simulators.scene import ETL, PAIR

SECRET = Secret("etl", "pw", "etl")
SERVER = Server("postgres", "db.internal", 5433, "warehouse", {"sslmode": "verify-full"})


def test_of_in_place_nothing_is_kept_for_more_than_seconds() -> None:
    """The old value is dead the moment that the new one is applied, whatever the policy says of grace."""
    entry = replace(ETL, policy=replace(ETL.policy, grace=timedelta(days=1)))
    assert fields_for_readers(entry, SECRET, "")["cache_seconds"] == "5"


@pytest.mark.parametrize(
    ("grace", "seconds"), [(timedelta(days=7), "300"), (timedelta(minutes=4), "60"), (timedelta(0), "5")]
)
def test_of_the_others_a_kept_value_is_over_long_before_its_grace(grace: timedelta, seconds: str) -> None:
    """Retire would kill what somebody still holds."""
    entry = replace(PAIR, policy=replace(PAIR.policy, grace=grace))
    assert fields_for_readers(entry, SECRET, "")["cache_seconds"] == seconds


@pytest.mark.parametrize(
    ("said", "stays"), [('"0"', "0"), ("0", "0"), ('"3600"', "5"), ('"1"', "5"), ('"00"', "5")]
)
def test_a_person_who_wants_nothing_kept_is_not_overruled(said: str, stays: str) -> None:
    """Rotations write no 0, so it is a person's; any other number may be one of theirs from before."""
    note = f'```bitwarden-vault\n{{"cache_seconds": {said}}}\n```'
    assert fields_for_readers(ETL, SECRET, note)["cache_seconds"] == stays


@pytest.mark.parametrize("form", ["password", "json"])
def test_value_and_note_together_are_a_connection(form: str) -> None:
    """The backend needs no word from a person."""
    entry = replace(ETL, vault=replace(ETL.vault, format=form))
    fields = {**first_fields(entry, SERVER), **fields_for_readers(entry, SECRET, "")}
    value = first_value(form, Login("etl", "pw"), SERVER)
    made = connection_text(value, write_note("", NoteBlock(fields)))
    for told in ('"conn_type": "postgres"', '"login": "etl"', '"host": "db.internal"', "verify-full"):
        assert told in made


@pytest.mark.parametrize("form", ["airflow-connection", "airflow-uri", "aws-credentials"])
def test_what_the_value_tells_the_note_does_not_repeat(form: str) -> None:
    """Two places that say the same come to differ."""
    entry = replace(ETL, vault=replace(ETL.vault, format=form))
    told = {**first_fields(entry, SERVER), **fields_for_readers(entry, SECRET, "")}
    assert told.keys() == {"cache_seconds", "format"}


@pytest.mark.parametrize("form", ["password", "json", "airflow-connection"])
def test_a_note_says_in_which_form_the_value_is(form: str) -> None:
    """A password may begin like JSON, and JSON that somebody broke is no password."""
    entry = replace(ETL, vault=replace(ETL.vault, format=form))
    assert fields_for_readers(entry, SECRET, "")["format"] == form
