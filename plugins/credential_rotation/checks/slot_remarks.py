"""What `check` says of the access tokens' slots without asking anybody: whose they are, and what is missing.

Rules this file keeps:
- A slot is named by the variable that is filled, because that is where people look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from bitwarden_vault.token_reading import ENDINGS, TOKEN
from credential_rotation import settings as ours


def remarks_on_slots(environ: Mapping[str, str], ends: Mapping[str, datetime]) -> Iterator[str]:
    """One sentence or two for each thing that people should know; `ends` by slot, as people told it."""
    slot = ours.TOKEN if _filled(environ, ours.TOKEN) else TOKEN
    if slot == TOKEN:
        yield (
            "rotation and consumers use one access token: whoever reads CURRENT can read the journal and "
            f"the admins' secrets too. Give the rotation its own machine account ({ours.TOKEN})."
        )
    filled = _filled(environ, slot)
    if filled and slot not in ends:
        yield (
            f"nobody has told when the access token in {filled} expires, and Bitwarden does not tell: set "
            f"{slot}_EXPIRES to the day that its page shows, and the watchdog warns ahead"
        )
    if filled and _is_empty_file(environ, f"{slot}_NEXT"):
        yield (
            f"the second slot, {slot}_NEXT_FILE, is empty: nothing goes on when Bitwarden refuses the first "
            "access token"
        )


def _filled(environ: Mapping[str, str], slot: str) -> str | None:
    return next((f"{slot}{one}" for one in ENDINGS if environ.get(f"{slot}{one}", "").strip()), None)


def _is_empty_file(environ: Mapping[str, str], slot: str) -> bool:
    """Alone, and readable: what else is wrong with a second slot is told where it is read."""
    if _filled(environ, slot) != f"{slot}_FILE":
        return False
    try:
        with open(environ[f"{slot}_FILE"], encoding="utf-8") as file:  # noqa: PTH123 - as the slot itself is read
            return not file.read().strip()
    except (OSError, UnicodeDecodeError):
        return False
