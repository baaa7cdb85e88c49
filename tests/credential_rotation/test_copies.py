"""FIELD E7: where two copies of us are on the path one counts, and a warning names both."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

from credential_rotation import __version__, copies, installed

pytest_plugins = ["scenes.airflow.imported"]

HERE = Path(copies.__file__).parent
ROOT = HERE.parents[1]


def _tree(folder: Path, *, init: str = '__version__ = "0.0.9"\n') -> Path:
    """A second copy; its DAG file."""
    package = folder / "plugins" / "credential_rotation"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(init)
    (folder / "dags").mkdir()
    return folder / "dags" / "rotate_database_credentials.py"


def _appended(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setattr("sys.path", [str(HERE.parent), *sys.path, str(file.parents[1] / "plugins")])


def test_a_single_copy_counts_and_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """Also where its folder is on the path twice, once through a detour."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.path", [str(HERE.parent), str(HERE / ".." / ".." / "plugins")])
        assert copies.counts(str(ROOT / "dags" / "verify_credentials.py"))
    assert caplog.records == []


def test_the_copy_that_lost_makes_no_dags_and_both_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With paths and versions, so that a person knows which one to remove."""
    file = _tree(tmp_path)
    _appended(monkeypatch, file)
    with caplog.at_level(logging.WARNING):
        assert not copies.counts(str(file))
    [said] = caplog.messages
    for words in (str(HERE), __version__, str(file.parents[1] / "plugins" / HERE.name), "0.0.9", "no DAGs"):
        assert words in said


def test_the_copy_that_won_keeps_its_dags_and_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whichever of the two is being read."""
    _appended(monkeypatch, _tree(tmp_path))
    assert copies.counts(str(ROOT / "dags" / "rotate_database_credentials.py"))
    assert "0.0.9" in caplog.text


def test_dags_stay_where_the_copy_that_won_brings_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Plugins copied for the secrets backend, DAGs from Git: the schedule must not vanish."""
    file = _tree(tmp_path).with_name("of_a_later_version.py")
    _appended(monkeypatch, file)
    assert copies.counts(str(file))
    assert "is used" in caplog.text


@pytest.mark.usefixtures("airflow")
@pytest.mark.parametrize(
    ("bundles", "counts"),
    [(f'[{{"classpath": "{installed.BUNDLE}"}}]', False), ('[{"classpath": "GitDagBundle"}]', True)],
)
def test_a_wheel_brings_dags_where_its_bundle_is_configured(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bundles: str,
    counts: bool,  # noqa: FBT001 - a case's value
) -> None:
    """Installed for its connection type only, it leaves the schedule to the tree."""
    file = _tree(tmp_path)
    _appended(monkeypatch, file)
    monkeypatch.setattr(installed, "_DAGS", tmp_path)
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", bundles)
    assert copies.counts(str(file)) is counts


@pytest.mark.parametrize("init", ["", "__version__ = broken", "\x00"])
def test_a_copy_without_a_version_is_named_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, init: str
) -> None:
    """It is never imported, whatever it holds."""
    file = _tree(tmp_path, init=init)
    _appended(monkeypatch, file)
    copies.counts(str(file))
    assert "(version unknown)" in caplog.text


@pytest.mark.parametrize(
    ("version", "counts"), [("0.0.9", True), ("99.0.0", False), ("0.10.0", False), ("unreadable", True)]
)
def test_of_trees_side_by_side_the_latest_counts(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    version: str,
    counts: bool,  # noqa: FBT001 - a case's value
) -> None:
    """An upgrade dropped beside what it replaces: each file's process has its own tree on the path only."""
    _tree(tmp_path / "other", init=f'__version__ = "{version}"\n')
    ours = _tree(tmp_path / "ours", init=f'__version__ = "{__version__}"\n')
    monkeypatch.setattr(copies, "_HERE", ours.parents[1] / "plugins" / HERE.name)
    monkeypatch.setattr("sys.path", [str(tmp_path), str(ours.parents[1] / "plugins")])
    for file in (ours, ours.parents[2] / "other" / "dags" / ours.name):
        file.touch()
    assert copies.counts(str(ours)) is counts
    [said] = caplog.messages
    assert version in said
    assert ("makes no DAGs" in said) is not counts


def test_trees_elsewhere_are_none_of_our_business(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A Git bundle's older versions lie beside the one that runs; Airflow parses only that."""
    other = _tree(tmp_path / "other", init='__version__ = "99.0.0"\n')
    ours = _tree(tmp_path / "ours")
    monkeypatch.setattr(copies, "_HERE", ours.parents[1] / "plugins" / HERE.name)
    monkeypatch.setattr("sys.path", [str(ours.parents[1]), str(ours.parents[1] / "plugins")])
    for file in (ours, other):
        file.touch()
    assert copies.counts(str(ours))
    assert caplog.messages == []


@pytest.mark.parametrize("file", sorted((ROOT / "dags").glob("*.py")), ids=lambda file: file.stem)
def test_every_dag_file_asks_whether_it_counts(file: Path) -> None:
    """One that does not would take turns with its twin in an older copy."""
    assert file.read_text().endswith(f"if counts(__file__):\n    {file.stem}()\n")
