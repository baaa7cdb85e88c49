"""Runs an attempt again at once where each second counts: recovery is running it again.

An attempt that applied a value and could not promote it leaves consumers locked out until the next one; a
lost answer may mean the same. Everything else waits for the next tick, so that nothing hammers a target.
What one attempt of a run knew is not lost where the next one cannot even look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_result,
    stop_after_attempt,
    stop_after_delay,
    wait_chain,
    wait_fixed,
)

from credential_rotation.model import UNMANAGED_EPOCH
from credential_rotation.outcome import Outcome

WAITS = (2.0, 8.0, 20.0)
"""Seconds before each further attempt."""
BUSY_AGAIN = 10.0
MOST_SLEEP = 60.0
"""Seconds between looks at what has to wait, so that the log shows life."""


def the_last(state: RetryCallState) -> Outcome | None:
    """What a run of attempts that is given up came to, for tenacity."""
    return state.outcome.result() if state.outcome else None


def persevere(attempt: Callable[[], Outcome], *, note: Callable[[Outcome], object]) -> Outcome:
    """The first outcome that is not urgent, or the last; `note` hears of each that is tried again."""
    before: list[Outcome] = []

    def again(state: RetryCallState) -> None:
        if state.outcome is not None:
            before.append(state.outcome.result())
            note(before[-1])

    retrying = Retrying(
        retry=retry_if_result(lambda outcome: outcome.is_urgent),
        stop=stop_after_attempt(len(WAITS) + 1),
        wait=wait_chain(*(wait_fixed(seconds) for seconds in WAITS)),
        before_sleep=again,
        retry_error_callback=the_last,
    )

    def once() -> Outcome:
        outcome = attempt()
        return _with_what_was_known(before[-1], outcome) if before else outcome

    last = retrying(once)
    return _of_the_whole_run(before[0], last) if before else last


def _with_what_was_known(before: Outcome, now: Outcome) -> Outcome:
    """An outage stays one, and stays urgent, until somebody has looked again."""
    has_looked = now.version is not None or now.old_value is not None or now.new_value is not None
    if now.outcome != "failed" or has_looked:
        return now
    reason = before.reason if now.reason in before.reason else f"{before.reason}; then {now.reason}"
    return replace(before, reason=reason, steps=(*before.steps, *now.steps))


def _of_the_whole_run(first: Outcome, last: Outcome) -> Outcome:
    """Who waits for a new value hears of it, also where the attempt that wrote it did not see it through."""
    is_new = last.version not in (None, UNMANAGED_EPOCH, first.version)
    if not is_new or last.outcome not in ("retired", "unchanged"):
        return last
    reason = f"version {last.version} is CURRENT and works; an earlier attempt of this run wrote it"
    return replace(last, outcome="recovered", reason=reason)


def wait_out(
    attempt: Callable[[], Outcome],
    *,
    clock: Callable[[], datetime],
    patience: timedelta,
    note: Callable[[Outcome], object],
) -> Outcome:
    """Run again what only has to wait, at the time that it names, for as long as `patience`.

    For those who asked for "now": the next tick would not know of their wish.
    """

    def seconds(state: RetryCallState) -> float:
        outcome = state.outcome.result() if state.outcome else None
        until = outcome.until if outcome else None
        left = (until - clock()).total_seconds() + 1 if until else BUSY_AGAIN
        return min(max(left, 1.0), MOST_SLEEP)

    def is_far(outcome: Outcome) -> bool:
        return outcome.until is not None and outcome.until > clock() + patience

    def again(state: RetryCallState) -> None:
        if state.outcome is not None:
            note(state.outcome.result())

    retrying = Retrying(
        retry=retry_if_result(lambda outcome: outcome.heals_by_itself and not is_far(outcome)),
        stop=stop_after_delay(patience.total_seconds()),
        wait=seconds,
        before_sleep=again,
        retry_error_callback=the_last,
    )
    return retrying(attempt)
