"""What the environment says about rotations."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from credential_rotation import installed
from credential_rotation.errors import BadInput, NotConfigured
from credential_rotation.settings import Settings, read_settings
from sandbox.places import INCLUDE


def test_nothing_set_is_a_fresh_drop_in() -> None:
    """The inventory lies beside `plugins/`, lost writes settle for 15 minutes, and there is no journal."""
    assert read_settings({}) == Settings(INCLUDE, None, timedelta(minutes=15))


def test_a_wheel_looks_in_the_home_of_airflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside an installed package there is nothing of its users; `~/airflow` is Airflow's own default."""
    monkeypatch.setattr(installed, "_DAGS", tmp_path)
    include = tmp_path / "airflow" / "include"
    include.mkdir(parents=True)
    assert read_settings({"AIRFLOW_HOME": str(include.parent)}).include == include
    assert read_settings({"ROTATION_INCLUDE": "/srv", "AIRFLOW_HOME": "/opt"}).include == Path("/srv")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_settings({}).include == include


def test_a_wheel_of_somebody_without_a_home_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image that runs under any number: the machine knows neither its name nor its home."""
    monkeypatch.setattr(installed, "_DAGS", tmp_path)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    with pytest.raises(NotConfigured, match="there is no ~/airflow/include yet"):
        read_settings({})


def test_a_fresh_wheel_says_what_to_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It skips as the other ways do, where nothing has been filled in."""
    monkeypatch.setattr(installed, "_DAGS", tmp_path)
    with pytest.raises(NotConfigured, match=r"there is no .*/include yet") as nothing:
        read_settings({"AIRFLOW_HOME": str(tmp_path / "home")})
    assert str(installed.STARTER) in nothing.value.next_step


def test_everything_set() -> None:
    """By variable."""
    environ = {
        "ROTATION_INCLUDE": "/srv/inventory",
        "ROTATION_JOURNAL_PROJECT": "rotation-journal",
        "ROTATION_SETTLE": "1h",
        "UNRELATED": "x",
    }
    assert read_settings(environ) == Settings(Path("/srv/inventory"), "rotation-journal", timedelta(hours=1))


@pytest.mark.parametrize("blank", ["", " ", "\n"])
def test_blank_is_unset(blank: str) -> None:
    """As Compose files and CI forms leave variables that nobody filled in."""
    names = ("ROTATION_INCLUDE", "ROTATION_JOURNAL_PROJECT", "ROTATION_SETTLE")
    assert read_settings(dict.fromkeys(names, blank)) == read_settings({})


def test_a_line_end_that_came_along_is_no_part_of_a_name() -> None:
    """Secrets mounted as files often end in one."""
    assert read_settings({"ROTATION_JOURNAL_PROJECT": "journal\n"}).journal_project == "journal"


@pytest.mark.parametrize(
    ("text", "seconds"), [("5s", 5), ("90s", 90), ("2m", 120), ("1h", 3600), ("1d", 86400)]
)
def test_settle_may_be_seconds_too(text: str, seconds: int) -> None:
    """Tests and demos cannot wait for minutes."""
    assert read_settings({"ROTATION_SETTLE": text}).settle == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["0s", "0m", "15", "-5m", "soon", "1.5h", "5 m", "999999s"])
def test_a_settle_that_means_nothing_is_refused(text: str) -> None:
    """Zero, too: then a late write could undo a later one."""
    with pytest.raises(BadInput, match="ROTATION_SETTLE: ") as wrong:
        read_settings({"ROTATION_SETTLE": text})
    assert "15m" in wrong.value.next_step
