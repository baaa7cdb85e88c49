"""Other channels: Airflow notifiers that get each alert, and can do no harm."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from credential_rotation.alerts.people import teller_of
from credential_rotation.alerts.run import Run
from credential_rotation.outcome import OutcomeDict

pytest_plugins = ["scenes.airflow.imported"]
pytestmark = pytest.mark.usefixtures("airflow")

Make = Callable[..., OutcomeDict]
TWO = datetime(2026, 11, 26, 2, tzinfo=timezone.utc)
CHANNELS = """\
from airflow.sdk.bases.notifier import BaseNotifier

heard = []

class Mail(BaseNotifier):
    template_fields = ("subject", "to")

    def __init__(self, to=("{{ alert.owners | join }}",), subject="[{{ alert.kind }}] {{ alert.headline }}"):
        super().__init__()
        self.to, self.subject = to, subject

    def notify(self, context):
        heard.append((self.subject, self.to[0], context["alert"]["incident"]))

class Broken(BaseNotifier):
    def notify(self, context):
        raise RuntimeError("smtp://user:hunter2@mail")

mail = Mail()

def made():
    return Mail(subject="made: {{ alert.kind }}")
"""


@pytest.fixture(name="heard")
def _heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str, str]]]:
    (tmp_path / "our_channels.py").write_text(CHANNELS)
    monkeypatch.syspath_prepend(tmp_path)
    import our_channels  # type: ignore[import-not-found] # noqa: PLC0415 - written just now

    yield our_channels.heard
    del sys.modules["our_channels"]


def tell(tmp_path: Path, paths: str, now: datetime, outcome: OutcomeDict) -> None:
    environ = {"ROTATION_NOTIFIERS": paths, "ROTATION_STATE_PATH": str(tmp_path / "state")}
    run = Run("rotation", "r1", (outcome,), dag="d", owners={"warehouse-etl": "data-platform"})
    teller_of(environ, now=now).tell(run)


@pytest.mark.parametrize("path", ["our_channels.mail", "our_channels:Mail"])
def test_each_alert_is_rendered_anew_also_by_one_shared_notifier(
    tmp_path: Path,
    heard: list[tuple[str, str, str]],
    outcome: Make,
    path: str,
) -> None:
    """Airflow renders in place: without a copy the second alert would read as the first."""
    for hour, word in enumerate(["failed", "failed", "rotated"]):
        old = "works" if word == "failed" else None
        tell(tmp_path, path, TWO + timedelta(hours=hour), outcome(word, old_value=old))
    assert [subject for subject, _, _ in heard] == [
        "[opened] warehouse-etl: rotation failed — the old password still works",
        "[resolved] warehouse-etl: resolved after 2 hours",
    ]
    assert {to for _, to, _ in heard} == {"data-platform"}
    assert len({incident for _, _, incident in heard}) == 1


def test_one_that_fails_stops_neither_the_others_nor_the_run(
    tmp_path: Path,
    heard: list[tuple[str, str, str]],
    outcome: Make,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is named in the log, without its text, which may hold a secret."""
    with caplog.at_level(logging.WARNING, logger="credential_rotation"):
        tell(tmp_path, "our_channels.Broken, nowhere.at_all, our_channels.made", TWO, outcome("failed"))
    assert [subject for subject, _, _ in heard] == ["made: opened"]
    said = [one.getMessage() for one in caplog.records if "ROTATION_NOTIFIERS" in one.getMessage()]
    assert said == [
        "ROTATION_NOTIFIERS our_channels.Broken was not told: RuntimeError",
        "ROTATION_NOTIFIERS nowhere.at_all was not told: ModuleNotFoundError",
    ]
