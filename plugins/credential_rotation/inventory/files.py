"""The files of an inventory: which ones count, and in which order.

Rules this file keeps:
- `*.yaml` and `*.yml` directly in `credentials/`, by name; hidden files and all other names are passed over.
- A file is shown by its place in the include folder, the same on every host and in every bundle version.
- A file that cannot be read is a mistake, not an error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from credential_rotation.errors import BadInput
from credential_rotation.inventory.yaml_text import Document, read_yaml, unreadable

_ENDINGS = (".yaml", ".yml")
_SEARCHABLE = re.compile(r"[\w@./ -]*")


@dataclass(frozen=True, slots=True)
class Folder:
    """An include folder that is there."""

    include: Path
    files: tuple[Path, ...]
    strays: tuple[tuple[Path, str], ...]
    """What somebody may take for part of the inventory, and why it is none."""

    @property
    def credentials(self) -> Path:
        """Where the entries are."""
        return self.include / "credentials"

    def shown(self, file: Path) -> str:
        """A file as messages name it: on one line, whatever its name holds."""
        name = f"{self.include.absolute().name}/{file.relative_to(self.include).as_posix()}"
        return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in name)

    def read(self, file: Path) -> Document:
        """One file; never raises."""
        try:
            raw = file.read_bytes()
        except OSError as wrong:
            return unreadable(self.shown(file), f"cannot be read: {wrong.strerror or 'unknown reason'}")
        return read_yaml(raw, self.shown(file))

    def policies(self) -> Document:
        """policies.yaml, which may be missing: `manual` and inline policies need none."""
        file = self.include / "policies.yaml"
        return self.read(file) if file.exists() else Document(file=self.shown(file))

    def mentioning(self, words: Sequence[str]) -> tuple[Path, ...]:
        """The files in which a word stands; all files where a word may be written in several ways."""
        if not all(_SEARCHABLE.fullmatch(word) for word in words):
            return self.files
        sought = [word.encode() for word in words if word]
        return tuple(file for file in self.files if _mentions(file, sought))


def open_folder(include: Path) -> Folder:
    """List an include folder. Raises: BadInput (it is not there, or is none)."""
    credentials = include / "credentials"
    try:
        listed = sorted(credentials.iterdir(), key=lambda path: path.name)
    except OSError as wrong:
        missing = credentials if include.is_dir() else include
        raise BadInput(
            f"ROTATION_INCLUDE: cannot read the folder {missing} ({wrong.strerror})",
            next_step="ROTATION_INCLUDE names the folder that holds credentials/ (with *.yaml files) and "
            "policies.yaml; left unset, it is the include/ folder beside plugins/.",
        ) from None
    visible = [path for path in listed if not path.name.startswith(".")]
    files = tuple(path for path in visible if path.suffix.lower() in _ENDINGS and not path.is_dir())
    strays = tuple((path, "is a folder, and only files directly in credentials/ are read; move its files up")
                   for path in visible if path.is_dir())  # fmt: skip
    return Folder(include=include, files=files, strays=strays)


def _mentions(file: Path, sought: Sequence[bytes]) -> bool:
    try:
        raw = file.read_bytes()
    except OSError:
        return True  # reading it says why it cannot be read
    return any(word in raw and _as_a_word(word).search(raw) for word in sought)


@lru_cache(maxsize=16)
def _as_a_word(word: bytes) -> re.Pattern[bytes]:
    """`role-7` does not stand in `role-77`."""
    return re.compile(rb"(?<![A-Za-z0-9_])" + re.escape(word) + rb"(?![A-Za-z0-9_])")
