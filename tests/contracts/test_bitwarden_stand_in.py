"""The stand-in's secrets and projects behave, through the real SDK, as the real server's do."""

from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest

from sandbox.bitwarden import BitwardenStandIn
from sandbox.bitwarden.sdk import NOT_FOUND, Workplace, failure_of

pytest_plugins = ["sandbox.bitwarden.fixtures"]

BAD_REQUEST = "Received error message from server: [400 Bad Request] "


def test_what_the_sdk_writes_is_what_it_reads_and_what_the_person_sees(workplace: Workplace) -> None:
    """One secret through create, get, list and get_by_ids, and decrypted on the person's side."""
    made = workplace.create("a key", "välue €", "a note")
    organization = workplace.bitwarden.organization_id
    read = workplace.secrets.get(made).data
    assert (read.key, read.value, read.note) == ("a key", "välue €", "a note")
    assert (str(read.project_id), str(read.organization_id)) == (workplace.project, organization)
    (listed,) = workplace.secrets.list(organization).data.data
    assert (str(listed.id), listed.key, str(listed.project_ids[0])) == (made, "a key", workplace.project)
    (batched,) = workplace.secrets.get_by_ids([made]).data.data
    assert batched.value == "välue €"
    (stored,) = workplace.bitwarden.secrets(workplace.project)
    assert (stored.id, stored.value, stored.project, stored.deleted) == (
        made, "välue €", workplace.project_name, False,
    )  # fmt: skip


def test_what_a_person_puts_and_edits_is_what_the_sdk_reads(workplace: Workplace) -> None:
    """The web vault's side of the same secret; an edit leaves the other fields alone."""
    bitwarden = workplace.bitwarden
    put = bitwarden.put_secret(project=workplace.project_name, key="k", value="one", note="mine")
    assert workplace.value(put) == "one"
    bitwarden.edit_secret(put, value="two")
    read = workplace.secrets.get(put).data
    assert (read.key, read.value, read.note) == ("k", "two", "mine")


def test_update_replaces_every_field_and_keeps_the_id(workplace: Workplace) -> None:
    """A note that is left out becomes empty; only the revision date moves."""
    made = workplace.create("old", "old", "old")
    before = workplace.secrets.get(made).data
    organization = workplace.bitwarden.organization_id
    after = workplace.secrets.update(organization, made, "new", "new", None, [workplace.project]).data
    assert (after.id, after.key, after.value, after.note) == (before.id, "new", "new", "")
    assert after.creation_date == before.creation_date
    assert after.revision_date > before.revision_date


@pytest.mark.parametrize("projects", [None, [], [str(uuid4())]], ids=["left out", "empty", "unknown"])
def test_update_without_its_project_is_not_found(workplace: Workplace, projects: list[str] | None) -> None:
    """Leaving the project out means detaching the secret, which machine accounts may not."""
    made = workplace.create(value="kept")
    organization = workplace.bitwarden.organization_id
    said = failure_of(workplace.secrets.update, organization, made, "k", "lost", "", projects)
    assert said.startswith(NOT_FOUND)
    assert workplace.stored() == ["kept"]


def test_create_needs_exactly_one_project(workplace: Workplace) -> None:
    """None and unknown are not found, two are refused by name of the field."""
    organization = workplace.bitwarden.organization_id
    for projects in (None, [], [str(uuid4())]):
        said = failure_of(workplace.secrets.create, organization, "k", "v", "", projects)
        assert said.startswith(NOT_FOUND)
    other = workplace.bitwarden.create_project("a second one")
    said = failure_of(workplace.secrets.create, organization, "k", "v", "", [workplace.project, other])
    assert said.startswith(BAD_REQUEST)
    assert '"ProjectIds":["Only one project assignment is supported."]' in said
    assert workplace.stored() == []


def test_keys_are_labels(workplace: Workplace) -> None:
    """Two secrets of one project may carry the same key."""
    assert workplace.create("twin", "1") != workplace.create("twin", "2")
    assert sorted(workplace.stored()) == ["1", "2"]


def test_the_sdk_trims_key_and_note_but_not_the_value(workplace: Workplace) -> None:
    """What arrives is what the SDK made of it."""
    read = workplace.secrets.get(workplace.create(" k ", " v ", " n ")).data
    assert (read.key, read.value, read.note) == ("k", " v ", "n")


def test_a_deleted_secret_is_in_the_trash_until_a_person_restores_it(workplace: Workplace) -> None:
    """For machine accounts it is gone: get, update, a second delete and the listing say so."""
    made = workplace.create(value="kept")
    (result,) = workplace.secrets.delete([made]).data.data
    assert (str(result.id), result.error) == (made, None)
    assert failure_of(workplace.value, made).startswith(NOT_FOUND)
    assert failure_of(workplace.update, made, "x").startswith(NOT_FOUND)
    assert failure_of(workplace.secrets.delete, [made]).startswith(NOT_FOUND)
    assert workplace.secrets.list(workplace.bitwarden.organization_id).data.data == []
    assert [secret.deleted for secret in workplace.bitwarden.secrets(workplace.project)] == [True]
    workplace.bitwarden.restore(made)
    assert workplace.value(made) == "kept"
    workplace.bitwarden.trash(made)
    assert failure_of(workplace.value, made).startswith(NOT_FOUND)


def test_one_unknown_id_spares_the_whole_batch(workplace: Workplace) -> None:
    """Deleting is all or nothing about existence."""
    made = workplace.create(value="kept")
    assert failure_of(workplace.secrets.delete, [made, str(uuid4())]).startswith(NOT_FOUND)
    assert workplace.stored() == ["kept"]


def test_get_by_ids_is_all_or_nothing(workplace: Workplace) -> None:
    """Unknown, deleted and doubled ids each fail the whole call."""
    made, gone = workplace.create(), workplace.create()
    workplace.bitwarden.trash(gone)
    for bad in (gone, str(uuid4())):
        assert failure_of(workplace.secrets.get_by_ids, [made, bad]).startswith(NOT_FOUND)
    doubled = failure_of(workplace.secrets.get_by_ids, [made, made])
    assert doubled.startswith(BAD_REQUEST)
    assert "were duplicated" in doubled


def test_sync_tells_all_or_that_nothing_changed(workplace: Workplace) -> None:
    """It compares the account's own stamp, and refuses a date in the server's future."""
    workplace.create(value="one")
    organization, sync = workplace.bitwarden.organization_id, workplace.secrets.sync
    full = sync(organization, None).data
    assert (full.has_changes, [secret.value for secret in full.secrets]) == (True, ["one"])
    now = datetime.now(timezone.utc)
    assert sync(organization, now).data.has_changes is False
    workplace.create(value="two")
    assert sorted(secret.value for secret in sync(organization, now).data.secrets) == ["one", "two"]
    ahead = failure_of(sync, organization, now + timedelta(minutes=1))
    assert ahead.startswith(BAD_REQUEST)
    assert "Last synced date must be in the past." in ahead


def test_another_organisation_is_not_found(workplace: Workplace) -> None:
    """Listing secrets and projects of an organisation that is not the account's."""
    for listing in (workplace.secrets.list, workplace.projects.list):
        assert failure_of(listing, str(uuid4())).startswith(NOT_FOUND)


TOO_LONG = {
    "key of 400 two-byte letters": ("key", ("é" * 400, "v", "")),
    "value of 20,000 two-byte letters": ("value", ("k", "é" * 20_000, "")),
    "note of 5,000 two-byte letters": ("note", ("k", "v", "é" * 5_000)),
}


@pytest.mark.parametrize(("field", "texts"), TOO_LONG.values(), ids=TOO_LONG.keys())
def test_the_server_counts_the_ciphertext_where_the_sdk_counts_letters(
    workplace: Workplace, field: str, texts: tuple[str, str, str]
) -> None:
    """What passes the SDK's own check can still be too long, and the server names the field."""
    organization = workplace.bitwarden.organization_id
    said = failure_of(workplace.secrets.create, organization, *texts, [workplace.project])
    assert said.startswith(BAD_REQUEST)
    assert f'"{field.capitalize()}":["The field {field.capitalize()} exceeds the maximum' in said
    assert workplace.stored() == []


@pytest.mark.parametrize(("field", "size"), [("key", 687), ("value", 26_191), ("note", 7_439)])
def test_the_longest_texts_fit_by_a_byte(bitwarden: BitwardenStandIn, field: str, size: int) -> None:
    """The usable bytes of key, value and note, which lie past the SDK's own check: as a person."""
    project = bitwarden.create_project(f"long {field}")
    texts = {"key": "k", "value": "v", "note": "n"}
    bitwarden.put_secret(project=project, **{**texts, field: "x" * size})
    too_long = {**texts, field: "x" * (size + 1)}
    said = failure_of(lambda: bitwarden.put_secret(project=project, **too_long))
    assert f"The field {field.capitalize()} exceeds the maximum encrypted value length" in said


LOCAL_REFUSALS = {
    "key must not exceed 500 characters in length": ("k" * 501, "v", ""),
    "value must not exceed 25000 characters in length": ("k", "v" * 25_001, ""),
    "note must not exceed 7000 characters in length": ("k", "v", "n" * 7_001),
    "value must not be empty": ("k", "", ""),
    "note must not contain only whitespaces": ("k", "v", " "),
}


@pytest.mark.parametrize(("said", "texts"), LOCAL_REFUSALS.items(), ids=LOCAL_REFUSALS.keys())
def test_the_sdk_refuses_these_without_a_request(
    workplace: Workplace, said: str, texts: tuple[str, str, str]
) -> None:
    """Its own texts, and nothing reaches the server."""
    workplace.bitwarden.clear_requests()
    organization = workplace.bitwarden.organization_id
    assert failure_of(workplace.secrets.create, organization, *texts, [workplace.project]) == said
    assert workplace.bitwarden.requests() == []


def test_projects_are_made_renamed_and_deleted_for_good(workplace: Workplace) -> None:
    """Whoever makes a project writes in it; deleting it orphans its secrets."""
    organization = workplace.bitwarden.organization_id
    made = str(workplace.projects.create(organization, "fresh").data.id)
    secret = workplace.secrets.create(organization, "k", "v", "", [made]).data.id
    assert workplace.projects.update(organization, made, "renamed").data.name == "renamed"
    assert workplace.projects.get(made).data.name == "renamed"
    assert {project.name for project in workplace.projects.list(organization).data.data} == {
        workplace.project_name, "renamed",
    }  # fmt: skip
    (deleted,) = workplace.projects.delete([made]).data.data
    assert deleted.error is None
    assert failure_of(workplace.projects.get, made).startswith(NOT_FOUND)
    assert failure_of(workplace.value, str(secret)).startswith(NOT_FOUND)
    orphans = [stored for stored in workplace.bitwarden.secrets() if stored.id == str(secret)]
    assert [(orphan.value, orphan.project, orphan.deleted) for orphan in orphans] == [("v", None, False)]
