"""No text from anywhere makes a message that Slack refuses, or that pings or formats."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from credential_rotation.alerts.message import Message, failure_message, messages_for, run_message
from credential_rotation.outcome import OutcomeDict

PIECES = st.sampled_from(
    [*"&<>|*_~`:@# \n\t\r\x00\u202e\ud800\U0001f600xyz", "<!channel>", "<@U1|x>", "&lt;", "https://a|b>c"]
)
NASTY = st.builds(
    lambda pieces, times: "".join(pieces) * times,
    st.lists(PIECES | st.characters(), max_size=12),
    st.sampled_from([1, 1, 3, 1000]),
)


@settings(max_examples=150, deadline=None)
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
    for message in messages_for(
        [one, {**one, "outcome": word[::-1]}, {**one, "outcome": "failed"}, one, one],
        links={name: link},
        owners={},
        run_link=link,
        deployment=deployment,
        run=run,
        work=word,
    ):
        check_for_slack(message)
    missing = run_message(planned=9, missing=texts, link=link, deployment=deployment, run=run, why=reason)
    check_for_slack(missing)
