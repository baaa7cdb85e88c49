"""No text from anywhere makes a message that Slack refuses, or that pings or formats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from credential_rotation.alerts.digest import digest_message
from credential_rotation.alerts.incident import Incident, Member, ended, opened
from credential_rotation.alerts.incident_messages import (
    beside_message,
    first_of,
    later_of,
    now_of,
    proof_of,
    resolved_message,
    slack_missed,
    storm_message,
)
from credential_rotation.alerts.message import Message, failure_message, run_message
from credential_rotation.alerts.run import Run
from credential_rotation.outcome import OutcomeDict, told
from credential_rotation.planning.watchdog import Finding
from simulators.scene import ETL

NOW = datetime(2026, 11, 26, 2, tzinfo=timezone.utc)

PIECES = st.sampled_from(
    [*"&<>|*_~`:@# \n\t\r\x00\u202e\ud800\U0001f600xyz", "<!channel>", "<@U1|x>", "&lt;", "https://a|b>c"]
)
NASTY = st.builds(
    lambda pieces, times: "".join(pieces) * times,
    st.lists(PIECES | st.characters(), max_size=12),
    st.sampled_from([1, 1, 3, 1000]),
)


@settings(max_examples=150)
@given(
    texts=st.tuples(NASTY, NASTY, NASTY, NASTY, NASTY, NASTY),
    word=st.sampled_from(["failed", "unproved", "broken", "refused", "waiting", "busy", "rotated"]) | NASTY,
    old=st.sampled_from(["works", "refused", "unknown", None]),
)
def test_no_text_makes_a_message_that_slack_refuses_or_formats(
    check_for_slack: Callable[[Message], None], texts: tuple[str, ...], word: str, old: str | None
) -> None:
    """Nothing in names, errors, owners, runs or links pings, formats, or goes beyond Slack's limits."""
    name, reason, owner, run, deployment, path = texts
    one: OutcomeDict = {
        "name": name,
        "engine": name[:40],
        "strategy": owner[:40],
        "outcome": word,
        "version": None,
        "reason": reason,
        "next_step": reason[::-1],
        "until": None,
        "attempt": "",
        "old_value": old,
        "new_value": old,
        "consumers": [],
        "steps": [],
    }
    link = f"https://airflow.example/{path}"
    check_for_slack(failure_message(one, link=link, deployment=deployment, owner=owner, run=run))
    missing = run_message(planned=9, missing=texts, link=link, deployment=deployment, run=run, why=reason)
    check_for_slack(missing)


@settings(max_examples=80)
@given(
    names=st.lists(NASTY, min_size=1, max_size=2),
    texts=st.tuples(NASTY, NASTY, NASTY, NASTY),
    times=st.sampled_from([1, 2, 100]),
)
def test_no_text_makes_a_thread_that_slack_refuses_or_formats(
    check_for_slack: Callable[[Message], None], names: list[str], texts: tuple[str, ...], times: int
) -> None:
    """The first message of one credential or of a storm, what becomes of it, its end, all that is added."""
    owner, run, link, reason = texts
    members = [
        Member(name, run, owner, f"{name[:50]} {kind}", "", urgency=kind, reason=reason)
        for kind, name in enumerate(names * times)
    ]
    incident = opened("incidents/storm/1", members, NOW)
    one = told(replace(ETL, name=names[0]), "failed", reason, next_step=owner).as_dict()
    ran = Run(
        run, run, (one,), link=f"https://airflow.example/{link}", deployment=owner, owners={names[0]: owner}
    )
    missed = (3, NOW - timedelta(hours=2))
    for message in (storm_message(members, ran), ran.about(one), ran.about_itself(names)):
        for framed in _framed(message, incident):
            check_for_slack(slack_missed(framed, missed))
    over = ended(incident, proof_of(incident, ran), NOW + timedelta(days=3))
    check_for_slack(slack_missed(resolved_message(over, ran), missed))
    check_for_slack(beside_message(ran.about(one), members[0], owner))


def _framed(message: Message, incident: Incident) -> tuple[Message, ...]:
    return (
        first_of(message, incident),
        later_of(message, incident),
        now_of(message, incident, is_same=True),
        now_of(message, incident, is_same=False),
    )


@settings(max_examples=40)
@given(
    texts=st.tuples(NASTY, NASTY, NASTY, NASTY, NASTY),
    times=st.sampled_from([1, 3, 41, 500]),
)
def test_no_text_makes_a_digest_that_slack_refuses_or_formats(
    check_for_slack: Callable[[Message], None], texts: tuple[str, ...], times: int
) -> None:
    """However many things there are to tell, and whatever they are called."""
    name, what, owner, deployment, run = texts
    made = digest_message([Finding(name, what, owner)] * times, deployment=deployment, run=run)
    assert made is not None
    check_for_slack(made)
