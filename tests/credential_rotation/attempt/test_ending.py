"""How an attempt ended follows from what was seen in it, and from nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bitwarden_vault.errors import NoAnswerInTime, OutcomeUnknown, RateLimited, RefusedToken, VaultError
from credential_rotation.attempt.account import Account
from credential_rotation.attempt.complaints import only_the_new_one_works
from credential_rotation.attempt.ending import SEE_TO, ended
from credential_rotation.attempt.look import Look
from credential_rotation.errors import RotationError
from credential_rotation.journal.vault_complaints import translated
from credential_rotation.model import Answer, Consumer, Probe, Record
from credential_rotation.policy import Decision
from simulators.scene import BY_HAND, ETL, Scene
from simulators.world import START

Happens = Callable[[Account], None]

OWN = Record("s", 3, "a1", START, START, BY_HAND)
LOOKER = Consumer("manual", "Looker", "bi")
LOCKED_OUT = Probe(Answer.REFUSED, "dag nightly", "it was refused", "Ask its owner.")
UNCONFIRMED = Probe(Answer.UNKNOWN, "manual Looker", "nobody said", "Ask bi.", awaits_person=True)
DUE = Decision(begin=False, reason="due on Friday", outcome="unchanged")
HELD = Decision(
    begin=False, reason="nobody has approved it", outcome="waiting", next_step="Ask.", needs_approval=True
)
DAY = timedelta(days=1)


def rotates(account: Account) -> None:
    account.promoted(OWN, newer=False)
    account.rotated(OWN)


def refuses(account: Account) -> None:
    account.consumer_answered(OWN, LOCKED_OUT)


CASES: dict[str, tuple[tuple[Happens, ...], tuple[str, str]]] = {
    "nothing happened": ((), ("unchanged", "")),
    "what was done beats what was not begun": ((rotates, lambda a: a.not_begun(DUE)), ("rotated", "")),
    "what was finished beats what is retired later": (
        (lambda a: a.retire_waits(START + DAY), lambda a: a.recovered("finished")), ("recovered", ""),
    ),
    "what was finished beats a yes that nobody has given yet": (
        (lambda a: a.recovered("finished"), lambda a: a.not_begun(HELD)), ("recovered", ""),
    ),
    "nothing is left but to wait": ((lambda a: a.retire_waits(START + DAY),), ("waiting", "")),
    "a new version that waits beats what was retired": (
        (lambda a: a.retired((OWN,)), lambda a: a.waiting(None, "grace")), ("waiting", ""),
    ),
    "a broken consumer beats that it was rotated": (
        (rotates, refuses), ("unproved", f"{SEE_TO} Ask its owner."),
    ),
    "each person is asked once": ((rotates, refuses, refuses), ("unproved", f"{SEE_TO} Ask its owner.")),
    "who only waits is told that something is unproved": (
        (refuses, lambda a: a.waiting(None, "grace")), ("unproved", f"{SEE_TO} Ask its owner."),
    ),
    "nobody has confirmed that a consumer has it": (
        (rotates, lambda a: a.consumer_answered(OWN, UNCONFIRMED)), ("unproved", f"{SEE_TO} Ask bi."),
    ),
    "a word of the policy brings its own next step": ((lambda a: a.not_begun(HELD),), ("waiting", "Ask.")),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_strongest_of_what_was_seen_is_how_it_ended(case: str) -> None:
    """What was proved, then what was planned; what is unproved keeps either from being green."""
    happened, (word, next_step) = CASES[case]
    account = Account(ETL, "a1", lambda: START)
    for one in happened:
        one(account)
    outcome = ended(account.seen, None)
    assert (outcome.outcome, outcome.next_step) == (word, next_step)


REFUSED = replace(HELD, outcome="refused")
SAYS: dict[str, tuple[tuple[Happens, ...], tuple[str, Answer | None, bool]]] = {
    "a quiet run": ((lambda a: a.not_begun(DUE),), ("unchanged", None, False)),
    "rotated": ((rotates,), ("rotated", Answer.WORKS, False)),
    "rotated, and only a person's word is missing": (
        (rotates, lambda a: a.consumer_answered(OWN, UNCONFIRMED)), ("unproved", Answer.WORKS, True),
    ),
    "rotated, and more is missing than a word": (
        (rotates, refuses, lambda a: a.consumer_answered(OWN, UNCONFIRMED)),
        ("unproved", Answer.WORKS, False),
    ),
    "refused": ((lambda a: a.not_begun(REFUSED),), ("refused", None, False)),
    "refused, where a consumer is broken too": (
        (refuses, lambda a: a.not_begun(REFUSED)), ("refused", None, False),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SAYS)
def test_it_says_of_no_new_value_that_it_works_and_of_nothing_else_that_a_word_is_enough(case: str) -> None:
    """Alerts are made of that, and a word that completes a rotation ends what was told."""
    happened, said = SAYS[case]
    account = Account(ETL, "a1", lambda: START)
    for one in happened:
        one(account)
    outcome = ended(account.seen, None)
    assert (outcome.outcome, outcome.new_value, outcome.only_words_missing) == said


def looked(*, own: Record, older: bool = False) -> Look:
    """CURRENT is version 3; a version before it may still be on record."""
    stored = Scene().vault.look()
    assert stored.current is not None
    before = (replace(own, id="t", epoch=2, secret=replace(BY_HAND, password="old")),) if older else ()
    return Look(ETL, replace(stored, records=(own, *before)), Scene().target)


REVOKED: dict[str, tuple[timedelta, bool, bool, str]] = {
    "made by this attempt": (-DAY, True, False, "revoked"),
    "made by an earlier attempt of this request": (timedelta(0), False, False, "revoked"),
    "made before the request": (-DAY, False, False, "unchanged"),
    "a value from before is on record": (timedelta(0), True, True, "rotated"),
}


@pytest.mark.parametrize("case", REVOKED)
def test_it_is_revoked_only_when_nothing_from_before_is_alive(case: str) -> None:
    """Whoever gets through compromise mode says since when values are clean; the records decide."""
    age, is_made_here, has_older, word = REVOKED[case]
    own = replace(OWN, written=START + age)
    account = Account(ETL, "a1", lambda: START)
    if is_made_here:
        rotates(account)
    account.revoked(START)
    assert ended(account.seen, looked(own=own, older=has_older)).outcome == word


def test_who_takes_values_by_hand_keeps_no_revocation_from_its_end() -> None:
    """They are broken on purpose, and named; a consumer that can be asked still has to work."""
    account = Account(ETL, "a1", lambda: START)
    rotates(account)
    account.consumer_answered(OWN, UNCONFIRMED)
    account.people_broken([LOOKER])
    account.left_to_a_person(RotationError("sessions at the pooler live on", next_step="End them."))
    account.revoked(START)
    through = ended(account.seen, looked(own=OWN))
    assert (through.outcome, through.next_step) == ("revoked", "Ask bi. End them.")
    assert "Looker (bi) is refused until" in through.reason
    assert "sessions at the pooler live on" in through.reason
    refuses(account)
    assert ended(account.seen, looked(own=OWN)).outcome == "unproved"


TRIGGER = (
    "Trigger retire_credentials for warehouse-etl (it also runs every hour): it goes on from the value that "
    "works, which is written down in the journal project."
)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NoAnswerInTime("no answer within 15 s"), TRIGGER),
        (OutcomeUnknown("the write was sent"), TRIGGER),
        (RateLimited("429"), f"{TRIGGER} If it goes on, spread the schedules of what uses this address."),
        (RefusedToken("400"), f"Mend or replace the access token; then run again. {TRIGGER}"),
    ],
    ids=["heals by itself", "answer lost", "and if it does not", "a person has to mend something first"],
)
def test_whoever_is_locked_out_reads_once_what_to_do_and_in_which_order(error: VaultError, told: str) -> None:
    """It is the message of an outage, read at night."""
    _, next_step = only_the_new_one_works(ETL, 2, translated(ETL.name, error))
    assert next_step == told


def test_what_was_seen_stays_as_it_was() -> None:
    """Who has asked for all of it so far is told nothing else later."""
    account = Account(ETL, "a1", lambda: START)
    rotates(account)
    before = account.seen
    refuses(account)
    assert ended(before, None).outcome == "rotated"
