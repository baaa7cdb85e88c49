"""A mutex of secrets in the journal: who gets in, who does not, and what a crash leaves."""

from __future__ import annotations

import itertools
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from bitwarden_vault.client import VaultClient
from bitwarden_vault.settings import read_settings
from credential_rotation.errors import Busy, RotationError, VaultTrouble, VaultUnknown
from credential_rotation.journal.claims import ClaimMutex
from sandbox.bitwarden.faults import Fault
from sandbox.places import PLUGINS, TESTS
from scenes.site.ground import ACCOUNT, Ground

pytest_plugins = ["scenes.site.fixtures"]

DELTA = 0.5
_numbers = itertools.count(1)


def now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass
class Place:
    """A journal of its own."""

    ground: Ground
    project: str

    def mutex(self, name: str = "exports", **changed: Any) -> ClaimMutex:  # noqa: ANN401 - fields of it
        client = VaultClient(read_settings(self.ground.environ()))
        fields = {"now": now, "delta": timedelta(seconds=DELTA), **changed}
        return ClaimMutex(client, self.project, name, **fields)

    def claims(self) -> list[str]:
        """The keys of all that are there, asked of the vault itself."""
        return [one.key for one in self.ground.bitwarden.secrets(self.project) if not one.deleted]

    def start(self, folder: Path, rounds: int, name: str = "exports") -> subprocess.Popen[str]:
        """A process that wants in so many times; 0 dies inside."""
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "scenes.vault.claim_driver",
                folder,
                self.project,
                name,
                str(rounds),
                str(DELTA),
            ],
            env={**self.ground.environ(), "PYTHONPATH": f"{PLUGINS}:{TESTS}", "PATH": os.defpath},
            stdout=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def place(ground: Ground) -> Place:
    bitwarden = ground.bitwarden
    bitwarden.clear_faults()
    project = bitwarden.create_project(f"claims-{next(_numbers)}")
    bitwarden.grant(ACCOUNT, project, "write")
    return Place(ground, project)


@pytest.fixture
def faults(place: Place) -> Any:  # noqa: ANN401 - a generator
    yield place.ground.bitwarden.fault
    place.ground.bitwarden.clear_faults()


Switch = Callable[[Fault], None]


def test_who_is_alone_gets_in(place: Place) -> None:
    """The claim is one secret, says until when and whose it is, and is gone afterwards."""
    with place.mutex()() as claim:
        [stored] = [one for one in place.ground.bitwarden.secrets(place.project) if not one.deleted]
        assert stored.key == claim.key
        assert claim.key.startswith("claim/exports/")
        told = json.loads(stored.value)
        assert (
            now() < datetime.strptime(told["expires"], "%Y-%m-%dT%H:%M:%S%z") <= now() + timedelta(minutes=10)
        )
        assert str(os.getpid()) in told["holder"]
        assert claim.still_held()
    assert place.claims() == []


def test_who_comes_second_is_busy_and_leaves_nothing(place: Place) -> None:
    """It is told who is in, and the first one's claim stays."""
    with place.mutex()() as claim:
        with pytest.raises(Busy, match=f"pid {os.getpid()} has claimed"), place.mutex()():
            pytest.fail("let in")
        assert place.claims() == [claim.key]
    with place.mutex()():
        pass


def test_other_credentials_are_not_in_the_way(place: Place) -> None:
    """Not even one whose name begins alike."""
    with place.mutex("exports")(), place.mutex("exports-2")(), place.mutex("export")():
        assert len(place.claims()) == 3


def test_an_error_inside_gives_the_claim_back(place: Place) -> None:
    """And is not replaced by another one."""
    with pytest.raises(Busy, match="inside"), place.mutex()():
        raise Busy("inside", next_step="")
    assert place.claims() == []


def test_what_a_crash_leaves_keeps_others_out_until_it_is_over(place: Place, tmp_path: Path) -> None:
    """Ten minutes by Bitwarden's clock; then whoever gets in deletes it."""
    dead = place.start(tmp_path, 0)
    dead.communicate(timeout=60)
    assert dead.returncode == 9
    [left] = place.claims()
    bitwarden = place.ground.bitwarden
    try:
        bitwarden.advance_clock(590)
        with pytest.raises(Busy), place.mutex()():
            pytest.fail("let in")
        bitwarden.advance_clock(20)
        with place.mutex()() as claim:
            assert place.claims() == [claim.key]
    finally:
        bitwarden.advance_clock(-bitwarden.clock_is_ahead)
    assert left not in place.claims()


def test_a_claim_that_is_over_by_less_than_delta_keeps_others_out(place: Place) -> None:
    """Bitwarden's servers differ by so much: for one of them it is not over yet."""
    bitwarden = place.ground.bitwarden
    bitwarden.put_secret(project=place.project, key="claim/exports/left", value='{"seconds": 300}')
    try:
        bitwarden.advance_clock(301)
        with pytest.raises(Busy), place.mutex(delta=timedelta(seconds=4))():
            pytest.fail("let in")
        assert place.claims() == ["claim/exports/left"]
        with place.mutex()() as claim:
            assert place.claims() == [claim.key]
    finally:
        bitwarden.advance_clock(-bitwarden.clock_is_ahead)


def test_a_claim_that_says_it_lasts_for_years_lasts_ten_minutes(place: Place) -> None:
    """Nobody locks a credential for good by a number."""
    bitwarden = place.ground.bitwarden
    bitwarden.put_secret(project=place.project, key="claim/exports/long", value='{"seconds": 1000000000}')
    try:
        bitwarden.advance_clock(590)
        with pytest.raises(Busy), place.mutex()():
            pytest.fail("let in")
        bitwarden.advance_clock(20)
        with place.mutex()() as claim:
            assert place.claims() == [claim.key]
    finally:
        bitwarden.advance_clock(-bitwarden.clock_is_ahead)


def test_a_host_with_a_wrong_clock_neither_breaks_in_nor_keeps_out(place: Place) -> None:
    """Ages are told by Bitwarden's dates."""
    for wrong in (timedelta(days=-400), timedelta(days=400)):
        mutex = place.mutex(now=lambda wrong=wrong: now() + wrong)
        with mutex(), pytest.raises(Busy), place.mutex()():
            pytest.fail("let in")
        with place.mutex()(), pytest.raises(Busy), mutex():
            pytest.fail("let in")


@pytest.mark.parametrize(
    "value", ["", "soon", "[]", '{"seconds": 99999999}', '{"seconds": "1"}', "[" * 20_000]
)
def test_a_claim_that_cannot_be_read_counts_as_one(place: Place, value: str) -> None:
    """For ten minutes, as any other; a person may have made it to keep the rotation out."""
    place.ground.bitwarden.put_secret(project=place.project, key="claim/exports/by-hand", value=value or "x")
    with pytest.raises(Busy, match="somebody has claimed"), place.mutex()():
        pytest.fail("let in")
    assert place.claims() == ["claim/exports/by-hand"]


def test_a_create_that_took_too_long_is_withdrawn_and_tried_again(place: Place, faults: Switch) -> None:
    """Others may have looked before it could be seen."""
    faults(Fault("slow_commit", "POST", "*/secrets", seconds=DELTA + 0.4, times=1))
    with place.mutex()() as claim:
        assert place.claims() == [claim.key]
    assert place.claims() == []


def test_a_bitwarden_that_stays_slow_lets_nobody_in(place: Place, faults: Switch) -> None:
    """Nobody could be sure to be alone; nothing is left behind."""
    faults(Fault("slow_commit", "POST", "*/secrets", seconds=DELTA + 0.2))
    with pytest.raises(VaultTrouble, match="to create a claim"), place.mutex()():
        pytest.fail("let in")
    assert place.claims() == []


def test_a_create_whose_answer_is_lost_lets_nobody_in(place: Place, faults: Switch) -> None:
    """It is looked for and taken back."""
    faults(Fault("drop_after_commit", "POST", "*/secrets", times=1))
    with pytest.raises(VaultUnknown), place.mutex()():
        pytest.fail("let in")
    assert place.claims() == []


def test_an_outage_while_looking_lets_nobody_in(place: Place, faults: Switch) -> None:
    """Without a look nobody has won."""
    faults(Fault("answer", "GET", "*", status=503))
    with pytest.raises(VaultTrouble), place.mutex()():
        pytest.fail("let in")


def test_a_claim_that_cannot_be_withdrawn_is_left_and_said(
    place: Place, faults: Switch, caplog: pytest.LogCaptureFixture
) -> None:
    """What was done inside is done; the claim expires by itself."""
    with caplog.at_level(logging.WARNING), place.mutex()() as claim:
        faults(Fault("answer", "POST", "*delete*", status=503))
    assert f"claim {claim.key} is left and expires by itself" in caplog.text
    assert place.claims() == [claim.key]


def test_whoever_is_inside_too_long_is_told_before_others_come_in(place: Place) -> None:
    """Half a minute before its end, so that the last request is over by then."""
    time = iter([0.0, 0.1, 500.0, 569.0, 570.5, 900.0])
    with place.mutex(clock=lambda: next(time))() as claim:
        assert [claim.still_held() for _ in range(4)] == [True, True, False, False]


def test_a_journal_that_cannot_be_written_is_said(place: Place) -> None:
    """As trouble with the vault, with what to do."""
    place.ground.bitwarden.grant(ACCOUNT, place.project, "read")
    with pytest.raises(RotationError) as wrong, place.mutex()():
        pytest.fail("let in")
    assert wrong.value.next_step


def test_processes_that_want_in_at_once_are_never_in_at_once(
    place: Place, faults: Switch, tmp_path: Path
) -> None:
    """Three of them, with commits that come late: each gets in as often as it wants, one at a time."""
    for skip in range(0, 60, 3):
        faults(Fault("slow_commit", "POST", "*/secrets", seconds=DELTA * 0.6, skip=skip, times=1))
    racing = [place.start(tmp_path, 3) for _ in range(3)]
    said = [process.communicate(timeout=180)[0].split() for process in racing]
    assert [process.returncode for process in racing] == [0, 0, 0]
    assert not any("overlap" in words for words in said)
    assert [words.count("entered") for words in said] == [3, 3, 3]
    assert any("busy" in words for words in said)
    assert place.claims() == []
