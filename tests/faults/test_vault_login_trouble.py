"""The login ends in the middle of a rotation: expired, throttled, or revoked for good."""

from __future__ import annotations

import time

import pytest

from scenes.site.ground import own_agent
from scenes.vault.trouble import (
    END,
    LOOK,
    PROMOTE,
    RECORD,
    SHORT,
    SLOW_DOWN,
    TOKEN_PATH,
    Moment,
    Struck,
)

pytest_plugins = ["scenes.site.fixtures", "scenes.vault.trouble_fixtures"]

MOMENTS = {"look": LOOK, "record": RECORD, "promote": PROMOTE, "end": END}
LOGIN = ("POST", TOKEN_PATH)


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_a_bearer_that_expires_in_the_middle_is_renewed(struck: Struck, moment: Moment) -> None:
    """401 means that nothing was done: a new login, the same request again, and no word about it."""
    struck.strike(moment, "answer", status=401, times=1)
    outcome = struck.rotate()
    assert (outcome["outcome"], outcome["version"]) == ("rotated", struck.version + 1)
    struck.forget()
    struck.in_order()


def test_a_renewal_that_is_throttled_for_a_second_is_waited_for(struck: Struck) -> None:
    """Between apply and promote: late is better than half done."""
    struck.strike(PROMOTE, "answer", status=401, times=1)
    struck.strike(LOGIN, "answer", status=429, body=SLOW_DOWN.format("1s"), times=1)
    begun = time.monotonic()
    assert struck.rotate()["outcome"] == "rotated"
    assert time.monotonic() - begun > 1.0
    struck.forget()
    struck.in_order()


@pytest.mark.parametrize(
    ("moment", "ends"), [(LOOK, "rotated"), (PROMOTE, "recovered")], ids=["look", "promote"]
)
def test_a_renewal_that_is_throttled_for_longer_is_not_called_a_bad_token(
    struck: Struck, moment: Moment, ends: str
) -> None:
    """The token is fine: nobody is sent to make a new one."""
    struck.strike(moment, "answer", status=401, times=1)
    struck.strike(LOGIN, "answer", status=429, body=SLOW_DOWN.format("1m"))
    outcome = struck.rotate(**{**SHORT, "BITWARDEN_PATIENCE": "1.5s"})
    assert outcome["outcome"] == "failed"
    told = outcome["reason"] + outcome["next_step"]
    assert "too many requests" in told or "401" in told
    assert "access token" not in told
    struck.forget()
    assert struck.heals() == ends


def test_a_token_that_is_revoked_between_apply_and_promote(struck: Struck) -> None:
    """The causes are named in the order to check; whoever has a token finishes it."""
    bitwarden, ground = struck.site.bitwarden, struck.site.ground
    token = bitwarden.create_token("rotation")
    struck.site.further_secrets.append(token)
    with own_agent(ground, token) as environ:
        assert struck.site.run("status", "etl", **environ).code == 0
        bitwarden.revoke_token(token)
        struck.strike(PROMOTE, "answer", status=401, times=1)
        outcome = struck.rotate(**environ)
    assert (outcome["outcome"], outcome["new_value"]) == ("failed", "works")
    assert "it has expired or was revoked" in outcome["reason"]
    assert "replace the access token" in outcome["next_step"]
    assert struck.heals() == "recovered"
