"""The ways of this product into an Airflow, each laid out as its page in docs/install says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from sandbox.places import ROOT

_OF_A_TREE = (".airflowignore", "dags", "plugins", "include", "tests", "docs", "pyproject.toml", "README.md")
_NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*_cache", ".sandbox", ".venv", ".git")
_GIT = ("git", "-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "core.hooksPath=")
_THEIRS = """
from airflow.sdk import dag, task


@dag
def theirs():
    @task
    def use_all():
        import alerts, model, rotation, tasks
        assert {one.MINE for one in (alerts, model, rotation, tasks)} == {"theirs"}

    use_all()


theirs()
"""
LOCAL = "airflow.dag_processing.bundles.local.LocalDagBundle"
GIT = "airflow.providers.git.bundles.git.GitDagBundle"


def lay_tree(folder: Path, include: Path) -> Path:
    """The whole tree, tests and all, with an inventory filled in."""
    folder.mkdir(parents=True)
    for name in _OF_A_TREE:
        here = ROOT / name
        if here.is_dir():
            shutil.copytree(here, folder / name, ignore=_NOT_COPIED)
        else:
            shutil.copy(here, folder / name)
    shutil.copytree(include, folder / "include", dirs_exist_ok=True)
    return folder


def lay_neighbours(home: Path) -> None:
    """Somebody's plugins and DAGs under names that ours have too, below our packages."""
    (home / "plugins" / "alerts").mkdir()
    for name in ("plugins/tasks.py", "plugins/alerts/__init__.py", "plugins/rotation.py", "dags/model.py"):
        (home / name).write_text('MINE = "theirs"\n')
    (home / "plugins" / "their_plugin.py").write_text("import rotation\n\nMINE = rotation.MINE\n")
    (home / "dags" / "theirs.py").write_text(_THEIRS)


def commit(folder: Path) -> str:
    """All of the folder as it is, on branch `main` of a repository in it; its address."""
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "All")):
        subprocess.run([*_GIT, *words], cwd=folder, check=True)
    return str(folder)


def install_wheel(folder: Path, target: Path) -> Path:
    """The wheel, built without the network and unpacked into a folder for PYTHONPATH."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "-q"]
    offline = ["--no-deps", "--no-index"]
    built = folder / "built"
    source = folder / "source"
    source.mkdir(parents=True)
    for name in ("plugins", "dags", "include"):
        shutil.copytree(ROOT / name, source / name, ignore=_NOT_COPIED)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source / name)
    subprocess.run([*pip, "wheel", *offline, "--no-build-isolation", "-w", built, source], check=True)
    [wheel] = built.iterdir()
    subprocess.run([*pip, "install", *offline, "--target", target, wheel], check=True)
    return wheel


def bundles(name: str, classpath: str, **kwargs: object) -> dict[str, str]:
    """The environment that names one bundle."""
    listed = json.dumps([{"name": name, "classpath": classpath, "kwargs": kwargs}])
    return {"AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": listed}
