"""Compromise mode as a run is asked for it: exactly what is chosen, with a reason, at once, or refused."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, cast

import pytest

from credential_rotation.errors import BadInput
from credential_rotation.model import Credential
from credential_rotation.outcome import Outcome, told
from credential_rotation.policy import Request
from simulators.scene import ETL

if TYPE_CHECKING:
    from credential_rotation.tasks.trigger_form import Wish
    from credential_rotation.wiring import Deployment

pytest_plugins = ["scenes.airflow.imported"]
pytestmark = pytest.mark.usefixtures("airflow")

AT = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
ASKED: dict[str, Any] = {"credentials": ["a"], "reason": "seen in a chat", "revoke": True}


def wish(**params: Any) -> Wish:  # noqa: ANN401 - whatever Airflow hands over
    from credential_rotation.tasks.trigger_form import wish_of  # noqa: PLC0415 - after Airflow's home is set

    return wish_of(params, params, at=AT, by="kim")


def test_it_is_a_request_that_nothing_holds_up() -> None:
    """Forced and now, as from the command line; a retried task asks with the same moment."""
    request = Request(AT, "kim", now=True, force=True, revoke=True, reason="seen in a chat")
    assert wish(**ASKED).request == request
    assert wish(**ASKED | {"force": True}).request == request


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"reason": None}, "compromise mode needs a reason"),
        ({"reason": "  "}, "compromise mode needs a reason"),
        ({"credentials": []}, "no credential is chosen"),
        ({"credentials": None}, "no credential is chosen"),
        ({"not_before": "2026-11-28T02:00:00Z"}, "begins at once"),
        ({"revoke": "true"}, "`revoke` is neither true nor false"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_with_what_to_do(changed: dict[str, Any], says: str) -> None:
    """Never all of them by an empty list, never later, never without a word why."""
    with pytest.raises(BadInput) as wrong:
        wish(**ASKED | changed)
    assert says in wrong.value.what
    assert wrong.value.next_step


@pytest.mark.parametrize(
    "asked",
    [ASKED, {"force": True, "reason": "x"}, {"dry_run": True}, {"not_before": "2026-11-28T02:00:00Z"}],
    ids=str,
)
def test_a_dag_that_begins_nothing_refuses_what_it_would_pass_over(asked: dict[str, Any]) -> None:
    """Retiring by "dry run" would retire; verifying by "compromise mode" would leave the value alive."""
    from credential_rotation.tasks.trigger_form import insist_on_choice  # noqa: PLC0415 - after Airflow's home is set

    with pytest.raises(BadInput, match="mean nothing here") as wrong:
        insist_on_choice(wish(credentials=["a"], **{k: v for k, v in asked.items() if k != "credentials"}))
    assert "rotating DAG" in wrong.value.next_step
    insist_on_choice(wish(credentials=["a"], reason="audit"))


def test_a_dry_run_is_none_for_the_records() -> None:
    """It tells what would break; nobody's value was revoked."""
    from credential_rotation.tasks.trigger_form import is_compromise  # noqa: PLC0415 - after Airflow's home is set

    assert is_compromise(ASKED)
    assert not is_compromise(ASKED | {"dry_run": True})
    assert not is_compromise({"revoke": False})
    assert not is_compromise({})


# --- what the task makes of it --------------------------------------------------------------------------


class Recorded:
    """Stands where a deployment would: it says what it was told to do."""

    def __init__(self) -> None:
        self.done: list[tuple[str, Request | None]] = []

    def clock(self) -> datetime:
        return AT

    @property
    def settings(self) -> Recorded:
        return self

    settle = timedelta(0)

    def rotate(self, credential: Credential, begin: Request | None) -> Outcome:
        self.done.append(("rotate", begin))
        return told(credential, "unchanged" if begin is None else "revoked", "done")

    def foresee(self, credential: Credential, begin: Request) -> Outcome:
        self.done.append(("foresee", begin))
        return told(credential, "planned", "would")


def ran(asked: dict[str, Any], *, brake: str | None) -> tuple[Recorded, Outcome]:
    from credential_rotation.tasks.by_wish import rotate_by_wish  # noqa: PLC0415 - after Airflow's home is set

    site = Recorded()
    return site, rotate_by_wish(cast("Deployment", site), ETL, wish(**asked), lambda: brake)


def test_the_brake_does_not_hold_it_up() -> None:
    """What holds back others, begun in the same run."""
    site, outcome = ran(ASKED, brake="3 in a row failed")
    assert outcome.outcome == "revoked"
    assert site.done == [("rotate", wish(**ASKED).request)]
    site, outcome = ran(ASKED | {"revoke": False}, brake="3 in a row failed")
    assert (outcome.outcome, site.done) == ("waiting", [("rotate", None)])


def test_with_dry_run_it_changes_nothing() -> None:
    """Whatever else was ticked."""
    site, outcome = ran(ASKED | {"dry_run": True, "force": True}, brake=None)
    assert outcome.outcome == "planned"
    assert [one for one, _ in site.done] == ["foresee"]
