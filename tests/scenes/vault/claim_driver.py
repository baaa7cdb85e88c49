"""A process that wants a claim: `python -m scenes.vault.claim_driver FOLDER PROJECT NAME ROUNDS DELTA`.

It enters as often as it is let in, and marks in FOLDER that it is there; another one's mark is said.
ROUNDS 0 is a process that dies inside.
"""

from __future__ import annotations

import os
import random
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from bitwarden_vault.client import VaultClient
from bitwarden_vault.settings import read_settings
from credential_rotation.errors import Busy, VaultTrouble
from credential_rotation.journal.claims import ClaimMutex


def main(folder: Path, project: str, name: str, rounds: int, delta: float) -> None:
    """Enter so many times."""
    client = VaultClient(read_settings(os.environ))
    mutex = ClaimMutex(
        client, project, name, lambda: datetime.now(timezone.utc), delta=timedelta(seconds=delta)
    )
    if not rounds:
        with mutex():
            os._exit(9)
    entered = 0
    while entered < rounds:
        try:
            with mutex() as claim:
                _stay(folder, claim.key)
                entered += 1
        except Busy:
            _say("busy")
        except VaultTrouble:
            _say("slow")
        time.sleep(random.uniform(0, delta))  # noqa: S311 - spreads requests


def _stay(folder: Path, key: str) -> None:
    mark = folder / "inside"
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        _say("overlap")
        return
    _say("entered")
    time.sleep(0.2)
    mark.unlink()
    _say(f"left {key}")


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]))
