"""Nobody is asked to hand on a version that names show to have been begun only; it is stuck, and told so."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from bitwarden_vault.state_folder import StateFolder
from credential_rotation.journal.records import INTENT, RecordName
from credential_rotation.model import Consumer, Credential
from credential_rotation.planning.planning import Known
from credential_rotation.planning.reminders import reminders_of
from credential_rotation.planning.status_rows import status_row
from credential_rotation.planning.watchdog import findings
from credential_rotation.state.confirmations import Confirmations, with_people
from simulators.scene import ETL, KEYS, PAIR

NOW = datetime(2026, 11, 27, 3, tzinfo=timezone.utc)
DAYS = timedelta(days=1)
LOOKER = Consumer("manual", "Looker", "bi")


def record(epoch: int, days: int, kind: str = "") -> RecordName:
    return RecordName(f"id{epoch}{kind}", ETL.name, epoch, NOW - days * DAYS, f"a{epoch}", kind)


KEY = replace(KEYS, consumers=(LOOKER,))
BEGUN = {
    "a key whose intent is still there": (KEY, ((4, 5, ""), (4, 5, INTENT), (3, 95, "")), True),
    "there is no CURRENT": (replace(PAIR, consumers=(LOOKER,)), ((4, 5, ""), (3, 95, "")), False),
    "nor was there ever one": (replace(ETL, consumers=(LOOKER,)), ((1, 5, ""),), False),
}
MAY_BE_CURRENT = {
    "a key in grace": (KEY, ((4, 0, ""), (3, 95, "")), True),
    "a pair in grace": (replace(PAIR, consumers=(LOOKER,)), ((4, 0, ""), (3, 95, "")), True),
    "the only one": (replace(ETL, consumers=(LOOKER,)), ((4, 0, ""),), True),
}


def known_with_people(
    tmp_path: Path, case: tuple[Credential, tuple[tuple[int, int, str], ...], bool]
) -> tuple[Credential, Known]:
    credential, names, has_current = case
    known = Known(tuple(record(*one) for one in names), has_current=has_current)
    return credential, with_people(credential, known, Confirmations(StateFolder(str(tmp_path))))


@pytest.mark.parametrize("case", BEGUN.values(), ids=BEGUN)
def test_nobody_is_asked_to_hand_on_what_was_begun_only(
    tmp_path: Path, case: tuple[Credential, tuple[tuple[int, int, str], ...], bool]
) -> None:
    """Their word would be refused: it is not CURRENT. That it is stuck is told instead."""
    credential, known = known_with_people(tmp_path, case)
    assert status_row(credential, known)["awaits"] == []
    told = reminders_of([credential], {credential.name: known}, NOW)
    assert not [one for one in told if "confirm" in one.finding.what]
    [stuck] = [one for one in findings([credential], {credential.name: known}, NOW) if "stuck" in one.what]
    assert f"version {known.records[0].epoch} was begun" in stuck.what


@pytest.mark.parametrize("case", MAY_BE_CURRENT.values(), ids=MAY_BE_CURRENT)
def test_whatever_may_be_current_is_handed_on(
    tmp_path: Path, case: tuple[Credential, tuple[tuple[int, int, str], ...], bool]
) -> None:
    """Who waits for a value is not left without it because names do not tell."""
    credential, known = known_with_people(tmp_path, case)
    [waits] = status_row(credential, known)["awaits"]
    assert (waits["consumer"], waits["version"]) == ("Looker", 4)
