"""People change things in Bitwarden while a rotation is under way: permissions, secrets, notes."""

from __future__ import annotations

import pytest

from sandbox.bitwarden.stand_in import StoredSecret
from scenes.site.ground import ACCOUNT
from scenes.vault.trouble import LOOK, PROMOTE, RECORD, Struck

pytest_plugins = ["scenes.site.fixtures", "scenes.vault.trouble_fixtures"]


def current(struck: Struck) -> StoredSecret:
    return struck.site.current(struck.key)


def test_the_permission_for_the_journal_is_taken_away_before_the_record_is_written(struck: Struck) -> None:
    """Nothing is applied; what to grant is said."""
    site, before = struck.site, struck.verifier()
    with struck.meanwhile(RECORD, lambda: site.bitwarden.grant(ACCOUNT, site.project("journal"), "read")):
        outcome = struck.rotate()
    assert outcome["outcome"] == "failed"
    assert "Can read, write" in outcome["next_step"]
    assert struck.verifier() == before
    site.bitwarden.grant(ACCOUNT, site.project("journal"), "write")
    assert struck.heals() == "rotated"


def test_the_permission_for_current_is_taken_away_before_it_is_written(struck: Struck) -> None:
    """The target has the new value: that is said, and also what to grant."""
    site = struck.site
    with struck.meanwhile(PROMOTE, lambda: site.bitwarden.grant(ACCOUNT, site.project("data"), "read")):
        outcome = struck.rotate()
    assert (outcome["outcome"], outcome["new_value"]) == ("failed", "works")
    assert "permission" in outcome["reason"]
    assert "Can read, write" in outcome["next_step"]
    site.bitwarden.grant(ACCOUNT, site.project("data"), "write")
    assert struck.heals() == "recovered"


def test_current_is_deleted_before_it_is_written(struck: Struck) -> None:
    """It is made anew from the record, by the same run's second attempt; the deleted one stays deleted."""
    gone = current(struck).id
    with struck.meanwhile(PROMOTE, lambda: struck.site.bitwarden.trash(gone)):
        outcome = struck.rotate()
    assert outcome["outcome"] == "recovered"
    assert current(struck).id != gone
    struck.was_healed = True
    struck.in_order()


def test_current_is_deleted_between_the_list_and_its_reading(struck: Struck) -> None:
    """The look is taken again, and finds a credential without CURRENT."""
    gone = current(struck).id
    with struck.meanwhile(("GET", f"/api/secrets/{gone}"), lambda: struck.site.bitwarden.trash(gone)):
        outcome = struck.rotate()
    assert outcome["outcome"] in ("recovered", "rotated")
    struck.was_healed = True
    struck.in_order()


def test_the_record_is_deleted_before_its_value_is_current(struck: Struck) -> None:
    """CURRENT is written all the same, and gets a record again from the next run."""
    site = struck.site

    def delete_newest() -> None:
        [newest] = [one for one in site.secrets() if one.key == site.records("etl")[-1] and not one.deleted]
        site.bitwarden.trash(newest.id)

    with struck.meanwhile(PROMOTE, delete_newest):
        assert site.run("rotate", "etl", "--json").words == {"etl": "rotated"}
    assert site.records("etl") == []
    assert site.logs_in("etl", site.password())
    struck.was_healed = True
    struck.in_order()


def test_current_is_duplicated_under_our_feet(struck: Struck) -> None:
    """The run that was under way ends; the next one asks which is meant, and does not choose."""
    site, before = struck.site, current(struck)
    made: list[str] = []

    def duplicate() -> None:
        place = site.projects["data"]
        made.append(site.bitwarden.put_secret(project=place, key=struck.key, value=before.value))

    with struck.meanwhile(PROMOTE, duplicate):
        assert struck.rotate()["outcome"] == "rotated"
    verifier = struck.verifier()
    outcome = site.run("rotate", "etl", "--json").outcomes["etl"]
    assert outcome["outcome"] == "refused"
    assert before.id in outcome["reason"]
    assert made[0] in outcome["reason"]
    assert "Delete what is not wanted" in outcome["next_step"]
    assert struck.verifier() == verifier
    site.bitwarden.trash(made[0])
    assert struck.heals() == "rotated"


@pytest.mark.parametrize("moment", [LOOK, RECORD, PROMOTE], ids=["look", "record", "promote"])
def test_a_note_that_a_person_edits_meanwhile(struck: Struck, moment: tuple[str, str]) -> None:
    """What was there when the lock was taken survives, later text is lost (no vault call compares and swaps).

    CURRENT is right in any case.
    """
    text = f"ask Kim about {moment}"
    edited = f"{text}\n\n{current(struck).note}"
    with struck.meanwhile(moment, lambda: struck.site.bitwarden.edit_secret(current(struck).id, note=edited)):
        assert struck.rotate()["outcome"] == "rotated"
    assert (text in current(struck).note) == (moment == LOOK)
    struck.in_order()
