"""What a person reads in Slack, word for word."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from credential_rotation.alerts.message import Message, failure_message, run_message
from credential_rotation.outcome import OutcomeDict

RUN = "scheduled__2026-01-05T03:00:00+00:00"

Make = Callable[..., OutcomeDict]
Read = Callable[[Message], str]


def told(outcome: OutcomeDict, *, link: str | None = None, deployment: str | None = "prod") -> Message:
    return failure_message(outcome, link=link, deployment=deployment, owner="data-platform", run=RUN)


def test_a_failure_reads_from_what_still_works_to_the_log(outcome: Make, read: Read) -> None:
    """What failed, does the old value work, does the new one, who acts, what next, where is the log."""
    one = outcome(
        "failed",
        reason="warehouse-etl: version 4 was set, and the target refuses it all the same",
        next_step="CURRENT was left alone. See that the role may log in, then run again.",
        old_value="works",
        new_value="refused",
    )
    assert read(told(one, link="https://airflow.example/log?try=1&map=0")) == (
        "# warehouse-etl: rotation failed — the old password still works\n"
        "Old password: ✅ still works\n"
        "New password: ❌ refused\n"
        "Heals by itself?: Maybe: every run tries again\n"
        "Who acts: data-platform\n"
        "*What happened*\n"
        "version 4 was set, and the target refuses it all the same\n"
        "*What to do next*\n"
        "CURRENT was left alone. See that the role may log in, then run again.\n"
        "[Open the log] https://airflow.example/log?try=1&map=0\n"
        f"prod · postgres in_place · version 3 is current · run {RUN}"
    )


def test_a_notification_alone_says_the_same(outcome: Make) -> None:
    """Who sees only the phone's banner reads what failed, what still works and what to do."""
    one = outcome("failed", old_value="works", reason="warehouse-etl: it <broke>", next_step="Mend it.")
    assert told(one).text == (
        "warehouse-etl: rotation failed — the old password still works\nit &lt;broke&gt;\nNext: Mend it."
    )


FAILED = {
    ("works", "works"): ("the old password still works", "✅ still works", "✅ works", "Maybe"),
    ("works", "refused"): ("the old password still works", "✅ still works", "❌ refused", "Maybe"),
    ("works", None): ("the old password still works", "✅ still works", "there is none yet", "Maybe"),
    ("refused", "works"): (
        "only the new password works, and consumers still get the old one",
        "❌ refused",
        "✅ works",
        "Probably, with the next run; run it now to be quicker",
    ),
    ("refused", "refused"): (
        "neither the old password nor the new one works",
        "❌ refused",
        "❌ refused",
        "Maybe",
    ),
    ("refused", None): ("the stored password is refused", "❌ refused", "there is none yet", "Maybe"),
    ("refused", "unknown"): (
        "the old password is refused, the new one not known",
        "❌ refused",
        "❓ not known (no answer)",
        "Maybe",
    ),
    ("unknown", "unknown"): (
        "whether the password still works is not known",
        "❓ not known (no answer)",
        "❓ not known (no answer)",
        "Maybe",
    ),
    ("unknown", "works"): (
        "the new password works, the old one is not known",
        "❓ not known (no answer)",
        "✅ works",
        "Maybe",
    ),
    (None, None): ("whether the password still works is not known", "❓ not known", "❓ not known", "Maybe"),
}


@pytest.mark.parametrize(("values", "expected"), FAILED.items(), ids=str)
def test_the_headline_of_a_failure_says_what_still_logs_in(
    outcome: Make,
    read: Read,
    values: tuple[str | None, str | None],
    expected: tuple[str, str, str, str],
) -> None:
    """Every combination of what the old and the new value answered has words of its own."""
    lines = read(told(outcome("failed", old_value=values[0], new_value=values[1]))).splitlines()
    words, old, new, heals = expected
    assert lines[0] == f"# warehouse-etl: rotation failed — {words}"
    assert lines[1:3] == [f"Old password: {old}", f"New password: {new}"]
    assert lines[3].startswith(f"Heals by itself?: {heals}")


OTHERS = {
    "a consumer was not proved": (
        ("unproved", {"new_value": "works"}),
        "rotated, but not all is proved — the new password works",
        ["❓ not known", "✅ works", "Maybe: every run asks again"],
    ),
    "a replaced value is not dead": (
        ("unproved", {"new_value": "works", "old_value": "works"}),
        "rotated, but the old password works too",
        ["⚠️ still works, and should not", "✅ works", "Maybe: every run asks again"],
    ),
    "a replaced value is not dead, long after": (
        ("unproved", {"old_value": "works"}),
        "not proved — the old password still works",
        ["⚠️ still works, and should not", "❓ not known", "Maybe: every run asks again"],
    ),
    "dead as it should be, and an endpoint is behind": (
        ("unproved", {"new_value": "works", "old_value": "refused"}),
        "rotated, but not all is proved — the new password works",
        ["✅ refused, as it should be", "✅ works", "Maybe: every run asks again"],
    ),
    "another journal's stamp": (
        ("refused", {}),
        "rotation refused — nothing was changed",
        ["not asked, and not touched", "none was made", "No: it stays so until a person acts"],
    ),
    "CURRENT does not log in": (
        ("broken", {"old_value": "refused"}),
        "broken — the stored password is refused",
        ["❌ refused", "❓ not known", "No: it stays so until a person acts"],
    ),
    "a consumer is cut off": (
        ("broken", {"old_value": "works"}),
        "broken — the password works, but not everywhere it is used",
        ["✅ still works", "❓ not known", "No: it stays so until a person acts"],
    ),
    "somebody else has the lock": (
        ("busy", {}),
        "rotation is busy — another run has it",
        ["not asked, and not touched", "none was made", "Yes: another run has it and will finish"],
    ),
    "an earlier attempt settles": (
        ("waiting", {"until": "2026-01-05T04:15:00+01:00"}),
        "rotation waits — nothing new was begun",
        [
            "not asked, and not touched",
            "none was made",
            "Yes, what was begun: a later run goes on from here, not before 2026-01-05 03:15 UTC",
        ],
    ),
    "it was rotated": (
        ("rotated", {"old_value": "refused", "new_value": "works"}),
        "rotated — nothing to do",
        ["❌ refused", "✅ works", "there is nothing to heal"],
    ),
    "a word of a later version": (
        ("quarantined", {}),
        "rotation ended as quarantined",
        ["❓ not known", "❓ not known", "No: it stays so until a person acts"],
    ),
}


@pytest.mark.parametrize(("given_", "words", "facts"), OTHERS.values(), ids=OTHERS.keys())
def test_every_other_outcome_has_its_own_words(
    outcome: Make, read: Read, given_: tuple[str, dict[str, str]], words: str, facts: list[str]
) -> None:
    """A person never reads an outcome's code word alone, nor a value's state that means the opposite."""
    lines = read(told(outcome(given_[0], **given_[1]))).splitlines()
    assert lines[0] == f"# warehouse-etl: {words}"
    assert [line.partition(": ")[2].removeprefix("?: ") for line in lines[1:4]] == facts


@pytest.mark.parametrize("word", ["failed", "unproved", "broken", "refused", "quarantined"])
def test_what_to_do_next_is_never_empty(outcome: Make, read: Read, word: str) -> None:
    """Whoever has to act is told how to begin, even where the error did not say."""
    after = read(told(outcome(word))).partition("*What to do next*\n")[2].splitlines()[0]
    assert after.endswith((".", "stopped.")) and len(after) > 10  # noqa: PT018 - one fact


def test_another_engine_has_a_value_and_no_password(outcome: Make, read: Read) -> None:
    """A key is not called a password."""
    one = outcome("failed", engine="aws_iam", old_value="works")
    assert read(told(one)).startswith(
        "# warehouse-etl: rotation failed — the old value still works\nOld value"
    )


def test_a_check_is_not_called_a_rotation(outcome: Make) -> None:
    """The daily check's message does not claim that something was rotated."""
    one = failure_message(
        outcome("failed"), link=None, deployment=None, owner="x", run="r", work="verification"
    )
    assert one.text.startswith("warehouse-etl: verification failed")


def test_a_run_without_outcomes_says_how_many_and_which(read: Read) -> None:
    """Killed tasks tell nothing themselves; somebody else does."""
    message = run_message(
        planned=12, missing=["a", "b"], link="https://airflow.example/run", deployment="prod", run=RUN
    )
    assert read(message) == (
        "# Rotation: 2 of 12 planned credentials have no outcome\n"
        "Old values: ❓ not known\n"
        "New values: ❓ not known\n"
        "Heals by itself?: Maybe: every run tries again\n"
        "Who acts: who runs this Airflow\n"
        "*What happened*\n"
        "Their tasks were killed, timed out or never started, and nobody reported what they did.\n"
        "*Without an outcome*\n"
        "a, b\n"
        "*What to do next*\n"
        "Open the log for the cause, then run the DAG again: it asks what works and finishes what was begun. "
        "Whatever was being set is written down in Bitwarden, so nothing is lost.\n"
        "[Open the run] https://airflow.example/run\n"
        f"prod · run {RUN}"
    )


def test_a_run_that_failed_before_any_credential_says_why(read: Read) -> None:
    """Planning itself can fail, and then the reason is all there is."""
    message = run_message(
        planned=0, missing=[], link=None, deployment=None, run="r", why="Bitwarden is unreachable"
    )
    assert read(message).startswith("# Rotation: the run failed\n")
    assert "\nBitwarden is unreachable\n" in read(message)


def test_the_longest_name_does_not_hide_what_happened(
    outcome: Make, read: Read, check_for_slack: Callable[[Message], None]
) -> None:
    """A headline that is too long loses the end of the name, which stands in full nowhere shorter."""
    message = told(outcome("failed", name="x" * 300, old_value="refused", new_value="works"))
    check_for_slack(message)
    first = read(message).splitlines()[0]
    assert first.startswith("# xxx")
    assert first.endswith(
        "x…: rotation failed — only the new password works, and consumers still get the old one"
    )


def test_a_long_error_is_cut_with_an_ellipsis(outcome: Make, read: Read) -> None:
    """What does not fit ends in an ellipsis, never in half an escape."""
    lines = read(told(outcome("failed", reason="&" * 5000))).splitlines()
    assert lines[6] == "&" * (1199 // 5) + "…"


@pytest.mark.parametrize("text", ["", "   ", "\n\n", "\u202e", "\x00"])
def test_an_empty_text_is_said_to_be_empty(
    outcome: Make, read: Read, check_for_slack: Callable[[Message], None], text: str
) -> None:
    """Slack refuses empty texts, and a message that is refused wakes nobody."""
    message = told(outcome("failed", name=text, reason=text))
    check_for_slack(message)
    assert read(message).splitlines()[6] == "not told"


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "ftp://x/y", "http://[bad", "", "https://" + "x" * 3000, "no address"]
)
def test_what_is_no_web_address_is_no_link(outcome: Make, read: Read, link: str) -> None:
    """A wrong setting for Airflow's address costs the link, not the alert."""
    assert "[Open the log]" not in read(told(outcome("failed"), link=link))


def test_f6_it_says_whether_the_next_run_tries_again_and_by_when_a_person_must_act(
    outcome: Make, read: Read
) -> None:
    """A target that is down for an hour is nobody's night: its policy is kept until the day that is named."""
    one = outcome("failed", old_value="works")
    message = failure_message(
        one, link=None, deployment=None, owner="bi", run=RUN, act_by="2026-02-03T05:00:00+02:00"
    )
    assert "Heals by itself?: Maybe: every run tries again" in read(message)
    assert "Act by: 2026-02-03 03:00 UTC, the end of its policy" in read(message)


def test_f6_where_logins_fail_now_the_policy_gives_no_time(outcome: Make, read: Read) -> None:
    """Whatever the policy says, somebody is needed at once."""
    one = outcome("failed", old_value="refused", new_value="works")
    message = failure_message(one, link=None, deployment=None, owner="bi", run=RUN, act_by="2026-02-03")
    assert "Act by: now: who reads it cannot log in" in read(message)


def test_where_nothing_is_promised_no_day_is_named(outcome: Make, read: Read) -> None:
    """Rotated only when asked, or never yet by us."""
    assert "Act by" not in read(told(outcome("failed", old_value="works")))
