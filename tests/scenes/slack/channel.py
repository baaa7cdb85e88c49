"""What one deployment tells a Slack channel, as people see it there."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from credential_rotation.alerts.people import teller_of
from credential_rotation.alerts.run import Run
from credential_rotation.outcome import OutcomeDict
from sandbox.slack import SlackStandIn

TWO = datetime(2026, 11, 26, 2, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
DAG = "rotate_database_credentials"


class Channel:
    """What one deployment has told since the test began."""

    def __init__(self, slack: SlackStandIn, environ: dict[str, str]) -> None:
        self.slack, self.environ = slack, environ
        self._before, self._calls = len(slack.threads()), len(slack.accepted())

    def tell(self, now: datetime, *outcomes: OutcomeDict, **changed: Any) -> None:  # noqa: ANN401 - any field
        fields: dict[str, Any] = {
            "work": "rotation",
            "run": f"scheduled__{now:%H}",
            "dag": DAG,
            "owners": {"warehouse-etl": "data-platform"},
            "planned": len(outcomes),
        }
        teller_of(self.environ, now=now).tell(Run(outcomes=outcomes, **fields | changed))

    @property
    def threads(self) -> list[list[str]]:
        """The first line of each message, thread by thread."""
        return [
            [one["text"].splitlines()[0] for one in thread] for thread in self.slack.threads()[self._before :]
        ]

    @property
    def first(self) -> str:
        """All of the first message, as it reads now."""
        return str(self.slack.threads()[self._before][0]["blocks"])

    @property
    def calls(self) -> list[str]:
        return [one["method"] for one in self.slack.accepted()[self._calls :]]
