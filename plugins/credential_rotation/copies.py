"""Several copies of this package in one Airflow: which one counts, and a warning that names them.

Two files with one DAG would take turns in Airflow's database, a new DAG version at each parse. So the DAG
files of a copy that lost make no DAGs where the copy that won brings DAG files of its own. Python takes the
first copy on its path; of trees side by side in a dags folder, where it sees one at a time, the latest wins.

Rules this file keeps:
- No other copy is imported, and one folder is listed at most: a few `stat` per parse.
- DAG files of every version ask here: what they call keeps its name and its arguments.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from credential_rotation.installed import carried_dags, is_wheel_bundle_configured

log = logging.getLogger(__name__)

_NAME = "credential_rotation"
_HERE = Path(__file__).resolve().parent
_VERSION = re.compile(r'^__version__ = "([^"]{1,40})"', re.MULTILINE)


def counts(dag_file: str) -> bool:
    """Whether this DAG file is to make its DAGs. Other copies are named in a warning."""
    file = Path(dag_file).resolve()
    own = file.parents[1] / "plugins" / _NAME
    others = [one for one in _on_the_path() if one != _HERE]
    beside = list(_beside(own, file.name)) if own == _HERE else []
    used = max([_HERE, *beside], key=_rank)
    gives_way = used != _HERE or (own in others and _brings(file.name))
    for other in dict.fromkeys([_HERE, *others, *beside]):
        if other != used:
            _warn(used, other, f"{file} makes no DAGs. " if gives_way and other == own else "")
    return not gives_way


def _warn(used: Path, other: Path, consequence: str) -> None:
    log.warning(
        "Two copies of %s: %s (version %s) is used, %s (version %s) is not. %sRemove one of them.",
        _NAME,
        used,
        _version_of(used),
        other,
        _version_of(other),
        consequence,
    )


def _on_the_path() -> Iterator[Path]:
    for folder in sys.path:
        package = (Path(folder) / _NAME).resolve()
        if (package / "__init__.py").is_file():
            yield package


def _beside(own: Path, name: str) -> Iterator[Path]:
    """Copies in trees beside this one, with a DAG file of this name, where Airflow looks for DAG files."""
    tree = own.parents[1]
    if str(tree.parent) in sys.path:
        for package in tree.parent.glob(f"*/plugins/{_NAME}"):
            if package.resolve() != own and (package.parents[1] / "dags" / name).is_file():
                yield package.resolve()


def _brings(name: str) -> bool:
    """The copy in use has a DAG file of this name that Airflow parses."""
    if carried_dags() is not None:
        return is_wheel_bundle_configured()
    return (_HERE.parents[1] / "dags" / name).is_file()


def _rank(package: Path) -> tuple[list[int], str]:
    return [int(digits) for digits in re.findall(r"[0-9]+", _version_of(package))], str(package)


def _version_of(package: Path) -> str:
    try:
        found = _VERSION.search((package / "__init__.py").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    return found[1] if found else "unknown"
