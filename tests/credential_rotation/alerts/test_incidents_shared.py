"""Two reports at once on one storm: none undoes what the other wrote."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from threading import Barrier

import pytest

from bitwarden_vault.state_folder import StateFolder
from credential_rotation.alerts.incident import Incident, Member, opened, without
from credential_rotation.alerts.incident_book import IncidentBook
from credential_rotation.alerts.people import teller_of
from credential_rotation.outcome import OutcomeDict
from scenes.slack.channel import HOUR, TWO, Channel

pytest_plugins = ["scenes.slack.fixtures"]

Make = Callable[..., OutcomeDict]
NAMES = [f"c{number}" for number in range(6)]
MINUTE = timedelta(minutes=1)


def meanwhile(monkeypatch: pytest.MonkeyPatch, other: Callable[[], None]) -> None:
    """Another report runs to its end just after the next one has read the open incidents."""
    read, others = IncidentBook.about, [other]

    def slowly(book: IncidentBook, names: Collection[str]) -> list[Incident]:
        found = read(book, names)
        if others:
            others.pop()()
        return found

    monkeypatch.setattr(IncidentBook, "about", slowly)


def test_what_either_of_two_reports_ended_stays_ended(
    bot: Channel, outcome: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the second one tells the end of all."""
    bot.tell(TWO, *(outcome("failed", name=name, old_value="works") for name in NAMES))
    done = [outcome("rotated", name=name) for name in NAMES]
    meanwhile(monkeypatch, lambda: bot.tell(TWO + HOUR, *done[:3], dag="rotate_with_approval"))
    bot.tell(TWO + HOUR, *done[3:])
    assert teller_of(bot.environ).book.all() == []
    assert [one for one in bot.threads[0] if "resolved" in one] == [
        "6 credentials: resolved after 60 minutes"
    ] * 2


def test_what_fails_again_meanwhile_stays_open(
    bot: Channel, outcome: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the other report has told it."""
    bot.tell(TWO, *(outcome("failed", name=name, old_value="works") for name in NAMES))
    worse = outcome("failed", name="c0", old_value="refused")
    meanwhile(monkeypatch, lambda: bot.tell(TWO + HOUR, worse, dag="retire_credentials"))
    bot.tell(TWO + HOUR, *(outcome("rotated", name=name) for name in NAMES[1:]))
    [left] = [member for one in teller_of(bot.environ).book.all() for member in one.members]
    assert left.name == "c0"
    assert "is refused" in left.words
    bot.tell(TWO + 2 * HOUR, worse, dag="retire_credentials")
    assert (
        len([one for one in bot.threads[0] if "c0: rotation failed" in one]) == 2
    )  # below the storm, and worse


def test_what_fails_again_while_slack_is_told_of_the_end_is_not_lost(
    bot: Channel, outcome: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only an incident that nobody touched since is cleared away."""
    bot.tell(TWO, outcome("failed", old_value="works"))
    close = IncidentBook.close

    def late(book: IncidentBook, incident: Incident) -> None:
        monkeypatch.setattr(IncidentBook, "close", close)
        bot.tell(TWO + HOUR + MINUTE, outcome("failed", old_value="refused"))
        close(book, incident)

    monkeypatch.setattr(IncidentBook, "close", late)
    bot.tell(TWO + HOUR, outcome("rotated"))
    [left] = teller_of(bot.environ).book.all()
    assert not left.proof
    assert left.names == ("warehouse-etl",)


def test_twenty_reports_at_the_same_moment_leave_nothing(tmp_path: Path) -> None:
    """On one disk they write one after the other; the last of them finds it empty."""
    now = datetime(2026, 11, 26, 2, tzinfo=timezone.utc)
    members = [Member(f"c{number}", "rotation", "failed", "failed", "") for number in range(20)]
    storm = opened("incidents/storm/1", members, now)
    IncidentBook(StateFolder(str(tmp_path))).keep(storm)
    together = Barrier(len(members))

    def end(name: str) -> bool:
        book = IncidentBook(StateFolder(str(tmp_path)))
        together.wait()
        return not book.settle(storm, without(storm, [name])).members

    with ThreadPoolExecutor(len(members)) as pool:
        assert list(pool.map(end, storm.names)).count(True) == 1
