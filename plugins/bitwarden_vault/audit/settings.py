"""Where the audit trail goes, as the environment has it.

Rules this file keeps:
- A trail grows for ever and each write waits for its disk, so it lies where somebody chose; unset, none is
  written, and the agent's status says so.
- What would leave people believing in a trail that is not there is a mistake.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from bitwarden_vault.untyped import Any

PATH = "BITWARDEN_AUDIT_PATH"
CHECKPOINT = "BITWARDEN_AUDIT_CHECKPOINT"
KEY_FILE = "BITWARDEN_AUDIT_KEY_FILE"
REQUIRED = "BITWARDEN_AUDIT_REQUIRED"
_YES_OR_NO = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def read_audit_settings(environ: Mapping[str, str], mistakes: list[str]) -> dict[str, Any]:
    """The fields of `Settings`: a class of their own would cost import time in every task."""
    path, checkpoint, key_file = (environ.get(name) for name in (PATH, CHECKPOINT, KEY_FILE))
    for name, folder in ((PATH, path), (CHECKPOINT, checkpoint)):
        if folder is not None and not folder.startswith("/"):
            mistakes.append(f"{name} must be a folder's full path, from / on{_remedy(folder)}")
    if key_file is not None and not os.access(key_file, os.R_OK):
        mistakes.append(f"{KEY_FILE} names a file that cannot be read")
    required = environ.get(REQUIRED, "false").strip().lower()
    if required not in _YES_OR_NO:
        mistakes.append(f"{REQUIRED} must be true or false")
    is_required = _YES_OR_NO.get(required, False)
    useless = [name for name in (CHECKPOINT, KEY_FILE, REQUIRED) if name in environ and path is None]
    if useless and not (useless == [REQUIRED] and not is_required):
        mistakes.append(f"{' and '.join(useless)} without {PATH}: no audit trail would be written")
    return {
        "audit_path": path,
        "audit_checkpoint": checkpoint,
        "audit_key_file": key_file,
        "audit_required": is_required,
    }


def checkpoint_folder(trail: str, named: str | None) -> str:
    """Where a trail's checkpoints are: the folder that somebody named, else one inside the trail."""
    return named or f"{trail}/checkpoints"


def _remedy(folder: str) -> str:
    return "; `audit ship` copies to an object store" if "://" in folder else ""
