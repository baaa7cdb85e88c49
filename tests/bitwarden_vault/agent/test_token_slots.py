"""Which token logs in next: by what was refused and what succeeded, without a server or a clock."""

import pytest

from bitwarden_vault.access_token import parse_token
from bitwarden_vault.agent.login import REFUSAL_HOLDS, Login
from bitwarden_vault.agent.login_attempts import LoginAttempts
from bitwarden_vault.agent.token_slots import TokenSlots
from bitwarden_vault.errors import RefusedToken

TEXT = "0.0bd4ee27-c9b8-4e2c-b4ba-b0a0dd7a3a3{}.s3cr3t:AAECAwQFBgcICQoLDA0ODw=="
REFUSED = {"kind": "refused_token", "message": "no", "retry_after": None}


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def attempts(said: list[str]) -> LoginAttempts:
    """With two tokens, and for the second a login on disk."""
    tokens = [parse_token(TEXT.format(number), place) for number, place in enumerate(("FIRST", "SECOND"))]
    return LoginAttempts(Login(None), TokenSlots(tokens, [None, 100.0], said.append))


def test_the_second_is_in_use_when_its_login_has_succeeded(attempts: LoginAttempts, said: list[str]) -> None:
    """Nobody is told before, and everybody once for each time that it takes over."""
    attempts.login.begin()
    assert attempts.fail(REFUSED, 0.0) is None
    assert attempts.slots.notice == {}
    assert attempts.last is None, "who waits in vain is not told of a token that nobody uses any more"
    assert attempts.login.may_begin(0.0)
    for now in (1.0, 4000.0):
        attempts.login.begin()
        attempts.succeed(now)
    assert "in use is the one in SECOND" in attempts.slots.notice["notice"]
    assert len(said) == 1


def test_a_login_on_disk_is_that_of_its_token(attempts: LoginAttempts) -> None:
    """The second's is used, the first's is not looked for any more."""
    assert attempts.login.begin()
    attempts.fail(REFUSED, 0.0)
    assert not attempts.login.begin()


def test_two_refused_tokens_cost_no_more_logins_than_one(attempts: LoginAttempts) -> None:
    """Ten a minute are all that anybody behind this address has."""
    attempts.login.begin()
    attempts.fail(REFUSED, 0.0)
    attempts.login.begin()
    assert isinstance(attempts.fail(REFUSED, 1.0), RefusedToken)
    assert not attempts.login.may_begin(0.9 + 2 * REFUSAL_HOLDS)
    assert attempts.login.may_begin(1.0 + 2 * REFUSAL_HOLDS)
    assert attempts.slots.current == 0
