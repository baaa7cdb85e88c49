"""A migrated metadata database, kept in `.sandbox/` for each version of Airflow and copied from there.

`airflow db migrate` takes eight seconds of a core, and every Airflow of the tests begins with it. What is
kept was never used: it has the tables, and nobody's rows.
"""

import os
import shutil
import sqlite3
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

from sandbox.places import ROOT

DATABASE = "airflow.db"
_KEPT = ROOT / ".sandbox"


def is_copied(home: Path) -> bool:
    """Whether this Airflow's home has a migrated database now; if not, it has to be made."""
    try:
        shutil.copyfile(_kept(), home / DATABASE)
    except FileNotFoundError:
        return False
    return True


def keep(home: Path) -> None:
    """For the next one; two at once do no harm."""
    kept = _kept()
    kept.parent.mkdir(exist_ok=True)
    made = kept.with_name(f"{kept.name}.{os.getpid()}")
    with closing(sqlite3.connect(home / DATABASE)) as ours, closing(sqlite3.connect(made)) as theirs:
        ours.backup(theirs)
    made.replace(kept)


def _kept() -> Path:
    return _KEPT / f"airflow-{version('apache-airflow-core')}.db"
