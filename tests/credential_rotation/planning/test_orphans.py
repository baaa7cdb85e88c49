"""Records of an entry that is gone: named wherever names are listed anyway, so that none lives on untold."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from credential_rotation.inventory.inventory import Inventory, Problem
from credential_rotation.journal.records import RecordName
from credential_rotation.planning.orphans import orphans
from sandbox.slack import SlackStandIn
from scenes.airflow.tasks import as_task
from scenes.site.deployment import Site
from simulators.scene import ETL, START

pytest_plugins = ["scenes.airflow.imported", "scenes.site.fixtures"]


def record(epoch: int, name: str = "gone") -> RecordName:
    return RecordName(f"id-{epoch}", name, epoch, START, f"a{epoch}")


def test_a_name_that_no_entry_has_is_told_with_its_versions_and_the_way_out() -> None:
    """Two records are a pair or a key whose old value nobody retires any more."""
    inventory = Inventory((ETL,), ())
    [open_one] = orphans([record(1), record(2), record(4, ETL.name)], inventory)
    assert "records of 'gone' (versions 2, 1), which no entry is called" in open_one
    assert "a value that nobody retires may live on" in open_one
    assert "Give the entry its old name back" in open_one
    [at_rest] = orphans([record(3)], inventory)
    assert "(version 3)" in at_rest
    assert "may live on" not in at_rest


def test_nobody_is_advised_to_delete_the_records_of_what_cannot_be_read() -> None:
    """A file with a mistake hides its entries: their names are not known to be nobody's."""
    broken = Inventory((ETL,), (Problem("credentials/b.yaml", 3, "", "it is no YAML"),))
    [told] = orphans([record(1, f"n{number:02}") for number in range(12)], broken)
    assert "'n00'" in told
    assert "and 2 more" in told
    assert "mend the inventory's mistakes first" in told
    assert "delete" not in told
    named = Inventory((ETL,), (Problem("credentials/b.yaml", 3, "gone", "no such policy"),))
    assert orphans([record(1)], named) == ()
    policies = Inventory((ETL,), (Problem("include/policies.yaml", 3, "", "cron never fires"),))
    assert len(orphans([record(1)], policies)) == 1


@pytest.fixture
def renamed(site: Site) -> Site:
    """An entry that was renamed in the middle of a rotation."""
    site.run("rotate", "etl")
    site.change_entries("name: etl", "name: warehouse-etl")
    return site


def test_plan_names_it_and_asks_bitwarden_nothing_more(renamed: Site) -> None:
    """One list tells all; exit status and outcomes stay as they are."""
    renamed.bitwarden.clear_requests()
    ran = renamed.run("plan", "--json")
    lists = [one.path for one in renamed.bitwarden.requests() if one.path.endswith("/secrets")]
    assert len(lists) == 1
    [warning] = ran.json["warnings"]
    assert "records of 'etl' (version 1)" in warning
    assert ran.code == 0
    assert "note: the journal holds records of 'etl'" in renamed.run("plan").flat
    assert "warnings" not in renamed.run("plan", "warehouse-etl", "--json").json


@pytest.mark.usefixtures("airflow")
def test_the_planners_log_names_it(renamed: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Each hour, as a warning."""
    with (
        caplog.at_level(logging.WARNING),
        as_task(renamed, "retire_credentials", "plan_retirements") as tasks,
    ):
        tasks.plan_retirements.function(["postgres"])
    assert "the journal holds records of 'etl'" in caplog.text


@pytest.mark.usefixtures("airflow")
def test_the_daily_digest_names_it(renamed: Site, tmp_path: Path) -> None:
    """In the one message that people get."""
    with SlackStandIn(tmp_path / "slack") as slack:
        hook = {"SLACK_WEBHOOK_URL": slack.webhook_url}
        with as_task(renamed, "rotation_watchdog", "watch", module="watch", **hook) as found:
            found.watch.function()
        [message] = slack.messages()
    assert "the journal holds records of 'etl'" in str(message)
