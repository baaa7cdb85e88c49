"""What the state folder keeps of rotations: written once, nothing secret, and never a reason to fail."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from credential_rotation.attempt.inspection import verify
from credential_rotation.attempt.turn import Parties
from credential_rotation.journal.records import RecordName
from credential_rotation.model import Answer, Consumer, Policy, Probe
from credential_rotation.outcome import Outcome, told
from credential_rotation.planning.planning import Known
from credential_rotation.planning.status_rows import status_document
from credential_rotation.state.history import (
    Asked,
    is_kept,
    keep_command,
    keep_outcome,
    keep_run,
    keep_status,
    prune,
)
from scenes.site.deployment import Site
from simulators.scene import ETL, GRACE, START, Scene, SimConsumers, rotated_scene

pytest_plugins = ["scenes.site.fixtures"]

DAY = timedelta(days=1)
TICK = Asked(by="schedule")
ANNA = Asked(by="anna", why="a laptop was lost", dag_id="rotate_database_credentials", run_id="manual__1")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"ROTATION_STATE_PATH": str(tmp_path / "state")}


def documents(environ: dict[str, str], folder: str) -> dict[str, dict[str, Any]]:
    root = Path(environ["ROTATION_STATE_PATH"]) / folder
    return {path.stem: json.loads(path.read_text()) for path in sorted(root.rglob("*.json"))}


def quiet(outcome: str) -> Outcome:
    return told(ETL, outcome, "nothing to say")


def test_a_rotation_is_kept_with_its_steps_and_who_asked(environ: dict[str, str]) -> None:
    """Each step has its moment; the version that it made has an age and a due date."""
    outcome = Scene().rotate_now()
    keep_outcome(environ, ETL, outcome, ANNA, now=START)
    [(name, kept)] = documents(environ, f"history/{ETL.name}").items()
    assert name.startswith("20261125T1200")
    assert f"-{outcome.outcome}-" in name
    assert kept["asked"]["why"] == "a laptop was lost"
    assert {"recorded", "applied", "verified", "promoted"} <= {step["step"] for step in kept["steps"]}
    assert kept["written"].startswith("2026-11-25T12:00")
    assert kept["due"].startswith("2027-02-23T12:00")


@pytest.mark.parametrize("word", ["ok", "unchanged", "waiting", "busy", "planned"])
def test_a_quiet_tick_leaves_nothing(environ: dict[str, str], word: str) -> None:
    keep_outcome(environ, ETL, quiet(word), TICK, now=START)
    assert documents(environ, "history") == {}


def test_a_daily_proof_that_went_well_leaves_nothing(environ: dict[str, str]) -> None:
    """Sixty of them would fill the page's timeline, and hide the rotations of a quarter."""
    scene = rotated_scene()
    parties = Parties(scene.vault, scene.target, SimConsumers((Probe(Answer.WORKS, "dag load"),)))
    proved = verify(scene.credential, parties, clock=scene.world.clock)
    assert (proved.outcome, len(proved.steps)) == ("ok", 3)
    keep_outcome(environ, ETL, proved, TICK, now=START)
    assert documents(environ, "history") == {}


def test_an_hour_of_waiting_leaves_nothing_and_the_end_of_it_does(environ: dict[str, str]) -> None:
    """It is the same each hour until a reader ends and a person has given their word."""
    scene = rotated_scene(pair=True)
    assert scene.vault.current is not None
    task = scene.readers.begin(scene.vault.current.id, 1, "dag nightly_load")
    assert scene.rotate_now().outcome == "rotated"
    scene.consumers.by_hand = (Consumer("manual", "Looker"),)
    scene.world.pass_time(GRACE + timedelta(minutes=1))
    waits = scene.run()
    assert [step.name for step in waits.steps] == ["locked", "still read", "waits for a person", "waiting"]
    keep_outcome(environ, scene.credential, waits, TICK, now=START)
    assert documents(environ, "history") == {}
    scene.readers.end(task)
    scene.consumers.by_hand = ()
    keep_outcome(environ, scene.credential, scene.run(), TICK, now=START)
    [kept] = documents(environ, "history").values()
    assert {"ended", "retired"} <= {step["step"] for step in kept["steps"]}


def test_a_step_that_changed_something_is_kept_whatever_the_outcome(environ: dict[str, str]) -> None:
    """A replaced key was made inactive, and the word for that is `unchanged`."""
    scene = rotated_scene(keys=True)
    scene.rotate_now()
    scene.world.pass_time(GRACE + timedelta(minutes=1))
    outcome = scene.run()
    assert outcome.outcome == "unchanged"
    keep_outcome(environ, scene.credential, outcome, TICK, now=START)
    [kept] = documents(environ, "history").values()
    assert "inactive" in {step["step"] for step in kept["steps"]}


def test_who_asked_by_hand_finds_why_it_waits(environ: dict[str, str]) -> None:
    keep_outcome(environ, ETL, quiet("waiting"), ANNA, now=START)
    assert len(documents(environ, "history")) == 1


@pytest.mark.parametrize("word", ["failed", "broken", "refused", "unproved"])
def test_what_went_wrong_is_kept(environ: dict[str, str], word: str) -> None:
    keep_outcome(environ, ETL, quiet(word), TICK, now=START)
    assert len(documents(environ, "history")) == 1


def test_two_outcomes_of_one_second_are_two_documents(environ: dict[str, str]) -> None:
    for _ in range(2):
        keep_outcome(environ, ETL, quiet("failed"), TICK, now=START)
    assert len(documents(environ, "history")) == 2


@pytest.mark.parametrize("name", ["a.b", "a_b", "../../etc/passwd", ""])
def test_a_name_stays_in_its_folder_and_is_found_again(environ: dict[str, str], name: str) -> None:
    """Also a name with a dot, which folders of this store do not have."""
    keep_outcome(environ, replace(ETL, name=name), replace(quiet("failed"), name=name), TICK, now=START)
    [kept] = documents(environ, "history").values()
    assert kept["name"] == name


def test_a_run_is_kept_in_few_words_and_once(environ: dict[str, str]) -> None:
    """A report that is repeated replaces its own document when it runs in the same second, and adds none."""
    row = {**replace(quiet("failed"), reason="the target is down").as_dict(), "log_url": "http://x"}
    for _ in range(2):
        keep_run(environ, ANNA, [row], missing=["billing"], now=START)
    [(name, kept)] = documents(environ, "runs/2026-11-25").items()
    assert name.startswith("20261125T120000000Z-rotate_database_credentials-")
    assert kept["rows"][0]["reason"] == "the target is down"
    assert "steps" not in kept["rows"][0]
    assert kept["missing"] == ["billing"]


def test_a_run_about_nothing_leaves_nothing(environ: dict[str, str]) -> None:
    keep_run(environ, TICK, [], now=START)
    assert documents(environ, "runs") == {}


def test_a_status_has_all_that_the_list_shows(environ: dict[str, str]) -> None:
    """Told from names alone; what is open says until when it may be."""
    credential = replace(ETL, policy=Policy("quarterly", max_age=90 * DAY, grace=7 * DAY), tags=("pci",))
    names = tuple(
        RecordName(f"id-{n}", ETL.name, n, START - (5 - n) * DAY, f"a{n}", kind)
        for n, kind in ((4, ""), (3, ""), (3, "ending"))
    )
    known = {ETL.name: Known(names, has_current=True)}
    keep_status(
        environ, "retire_credentials", status_document([credential], known, problems=["x"], now=START)
    )
    [kept] = documents(environ, "status").values()
    [row] = kept["credentials"]
    assert kept["problems"] == ["x"]
    assert (row["version"], row["is_open"], row["tags"]) == (4, True, ["pci"])
    assert row["written"] == "2026-11-24T12:00:00+00:00"
    assert row["due"] == "2027-02-22T12:00:00+00:00"
    assert row["policy"]["words"] == "every 90 days"


@pytest.mark.parametrize("path", ["a file", "ftp-of-nobody://bucket/x"])
def test_a_folder_that_cannot_be_written_is_one_warning(
    tmp_path: Path, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A rotation is not failed by its history."""
    (tmp_path / "a file").touch()
    environ = {"ROTATION_STATE_PATH": str(tmp_path / path) if "://" not in path else path}
    with caplog.at_level(logging.WARNING):
        keep_outcome(environ, ETL, quiet("failed"), TICK, now=START)
    assert len(caplog.messages) == 1
    assert "is not kept for the page" in caplog.messages[0]
    prune(environ, START)


def test_what_nobody_looks_at_any_more_is_removed(environ: dict[str, str]) -> None:
    """Outcomes after 400 days, runs after 90; what is younger stays."""
    for days in (401, 399, 91, 89):
        at = START - days * DAY
        keep_outcome(environ, ETL, quiet("failed"), TICK, now=at)
        keep_run(environ, ANNA, [quiet("failed").as_dict()], now=at)
    assert prune(environ, START) == 1 + 3
    assert len(documents(environ, "history")) == 3
    assert len(documents(environ, "runs")) == 1
    assert len(list((Path(environ["ROTATION_STATE_PATH"]) / "runs").iterdir())) == 1


def test_a_shell_without_airflow_makes_no_folder() -> None:
    """`~/airflow` does not come to be by a command on somebody's laptop."""
    assert not is_kept({"HOME": "/root"})
    assert is_kept({"AIRFLOW_HOME": "/opt/airflow"})


def test_a_dry_run_by_command_is_not_kept(environ: dict[str, str]) -> None:
    keep_command(environ, [ETL], [quiet("planned")], ANNA, now=START)
    assert documents(environ, "") == {}


def test_a_command_leaves_the_same_as_a_task(site: Site) -> None:
    """Who, why, each step; and the folder has no value."""
    environ = site.environ
    others = documents(environ, "")
    site.run("rotate", "reporting", "--reason", "audit")
    site.run("rollback", "reporting", "--reason", "too soon")
    history = documents(environ, "history/reporting")
    assert [one["outcome"] for name, one in history.items() if name not in others] == ["rotated", "refused"]
    runs = documents(environ, "runs")
    asked = [one["asked"] for name, one in runs.items() if name not in others]
    assert [one["why"] for one in asked] == ["audit", "too soon"]
    assert asked[0]["by"].endswith(" (command line)")
    kept = json.dumps(documents(environ, ""))
    assert not {value for value in site.values() if value in kept}
