"""When a request that failed is sent again."""

import pytest

from bitwarden_vault.agent.retries import wait_before_next

READ_SENT = {"was_sent": True, "is_write": False}
WRITE_SENT = {"was_sent": True, "is_write": True}
WRITE_NOT_SENT = {"was_sent": False, "is_write": True}

SOON = (0.0, 4.0)
NEVER = None
RULES: dict[str, tuple[str, dict[str, bool], int, tuple[float, float] | None]] = {
    "a read that found nobody": ("unreachable", READ_SENT, 1, SOON),
    "a read that found nobody four times": ("unreachable", READ_SENT, 4, NEVER),
    "a write that was sent and not answered": ("unreachable", WRITE_SENT, 1, NEVER),
    "a write whose login found nobody": ("unreachable", WRITE_NOT_SENT, 1, SOON),
    "a write with an unknown outcome": ("outcome_unknown", WRITE_SENT, 1, NEVER),
    "a read that was met by silence": ("no_answer", READ_SENT, 1, NEVER),
    "a write that was one too many": ("rate_limited", WRITE_SENT, 1, (2.0, 3.0)),
    "and for the tenth time": ("rate_limited", WRITE_SENT, 10, (60.0, 61.0)),
    "a first 401, which may be a renewal that was throttled": ("unauthorized", WRITE_SENT, 1, (0.0, 0.0)),
    "a second 401": ("unauthorized", WRITE_SENT, 2, (5.0, 6.0)),
    "a tenth 401": ("unauthorized", WRITE_SENT, 10, (60.0, 72.0)),
    "a refused token": ("refused_token", READ_SENT, 1, NEVER),
    "what is not there": ("not_found", READ_SENT, 1, NEVER),
}


@pytest.mark.parametrize(("kind", "state", "tries", "between"), RULES.values(), ids=RULES.keys())
def test_what_is_tried_again_and_when(
    kind: str, state: dict[str, bool], tries: int, between: tuple[float, float] | None
) -> None:
    """Only what is certain not to have happened, and what may happen twice."""
    wait = wait_before_next(kind, tries=tries, told=None, **state)
    if between is None:
        assert wait is None
    else:
        assert wait is not None
        assert between[0] <= wait <= between[1]


def test_the_server_says_how_long_to_wait() -> None:
    """Not all who wait come back at the same moment."""
    waits = {wait_before_next("rate_limited", tries=1, told=7.0, **READ_SENT) for _ in range(20)}
    assert all(wait is not None and 7.0 < wait <= 7.5 for wait in waits)
    assert len(waits) > 1
