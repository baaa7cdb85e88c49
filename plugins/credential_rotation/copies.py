"""Several copies of this package in one Airflow: which one counts, and a warning that names them.

Python takes the first copy on its path, for the DAG files of all of them. Two files with one DAG would take
turns in Airflow's database, a new DAG version at each parse. So the DAG files of a copy that lost make no
DAGs where the copy that won brings DAG files of its own.

Rules this file keeps:
- No other copy is imported, and no folder is searched: a few `stat` per parse.
- DAG files of every version ask here: what they call keeps its name and its arguments.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from credential_rotation import __version__
from credential_rotation.installed import carried_dags, is_wheel_bundle_configured

log = logging.getLogger(__name__)

_NAME = "credential_rotation"
_HERE = Path(__file__).resolve().parent
_VERSION = re.compile(r'^__version__ = "([^"]{1,40})"', re.MULTILINE)


def counts(dag_file: str) -> bool:
    """Whether this DAG file is to make its DAGs. Other copies on the path are named in a warning."""
    file = Path(dag_file).resolve()
    own = file.parents[1] / "plugins" / _NAME
    others = [one for one in _on_the_path() if one != _HERE]
    gives_way = own in others and _brings(file.name)
    for other in others:
        says = f"; {file} makes no DAGs" if gives_way and other == own else ""
        log.warning(
            "Two copies of %s: %s (version %s) is used, %s (version %s) is not%s. Remove one of them.",
            _NAME,
            _HERE,
            __version__,
            other,
            _version_of(other),
            says,
        )
    return not gives_way


def _on_the_path() -> Iterator[Path]:
    seen = set()
    for folder in sys.path:
        package = (Path(folder) / _NAME).resolve()
        if package not in seen and (package / "__init__.py").is_file():
            seen.add(package)
            yield package


def _brings(name: str) -> bool:
    """The copy in use has a DAG file of this name that Airflow parses."""
    if carried_dags() is not None:
        return is_wheel_bundle_configured()
    return (_HERE.parents[1] / "dags" / name).is_file()


def _version_of(package: Path) -> str:
    try:
        found = _VERSION.search((package / "__init__.py").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    return found[1] if found else "unknown"
