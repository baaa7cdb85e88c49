"""The bundle that finds the DAG files of an installed wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from credential_rotation import installed
from sandbox.places import ROOT

pytest_plugins = ["scenes.airflow.imported"]

pytestmark = pytest.mark.usefixtures("airflow")


def test_its_folder_is_where_the_wheel_put_the_dag_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No path in the configuration, which would name a version of Python."""
    from credential_rotation.dag_bundle import InstalledDags  # noqa: PLC0415 - imports Airflow

    monkeypatch.setattr(installed, "_DAGS", tmp_path)
    assert InstalledDags(name="credential-rotation").path == tmp_path


def test_a_tree_of_folders_is_refused_with_what_to_do() -> None:
    """Rather than a bundle that is empty for ever."""
    from credential_rotation.dag_bundle import InstalledDags  # noqa: PLC0415 - imports Airflow

    with pytest.raises(FileNotFoundError, match="LocalDagBundle"):
        InstalledDags(name="credential-rotation")


def test_its_name_in_the_configuration_is_its_own() -> None:
    """What is looked for there, and what the page for the wheel tells people to write, is this class."""
    from credential_rotation.dag_bundle import InstalledDags  # noqa: PLC0415 - imports Airflow

    assert f"{InstalledDags.__module__}.{InstalledDags.__qualname__}" == installed.BUNDLE
    page = ROOT / "docs" / "install" / "wheel.md"
    assert f'"{installed.BUNDLE}"' in page.read_text()
