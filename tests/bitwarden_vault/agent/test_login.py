"""One login for all workers: when it is used, renewed, remembered as refused, and where it is kept."""

from pathlib import Path

import pytest

from bitwarden_vault.agent.login import LOGINS, REFUSAL_HOLDS, RENEW_AFTER, Login
from bitwarden_vault.agent.login_attempts import LoginAttempts
from bitwarden_vault.client import VaultClient
from bitwarden_vault.errors import Misconfigured, RefusedToken
from bitwarden_vault.settings import read_settings
from scenes.vault.scene import VaultScene

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures"]


def test_it_is_renewed_before_the_sdk_would_do_it() -> None:
    """The SDK's own renewals reach one worker only."""
    login = Login(None)
    assert login.may_begin(0.0)
    assert login.begin()
    assert not login.may_begin(0.0)
    login.succeed(1.0)
    assert login.is_usable(1.0)
    assert login.is_usable(RENEW_AFTER)
    assert not login.is_usable(RENEW_AFTER + 1.0)
    assert login.begin()
    assert (login.generation, login.count) == (2, 2)


def test_a_state_that_was_found_is_used_once_and_only_while_it_is_young() -> None:
    """It counts as no login; an old one is not even tried."""
    login = Login(100.0)
    assert not login.begin()
    login.succeed(0.0)
    assert login.is_usable(RENEW_AFTER - 101.0)
    assert not login.is_usable(RENEW_AFTER - 99.0)
    assert login.begin()
    assert Login(RENEW_AFTER + 1.0).begin()


def test_a_401_ends_the_login_that_it_was_about_and_no_later_one() -> None:
    """A slow answer to an old login does not undo the new one."""
    login = Login(None)
    for now in (0.0, 1.0):
        login.begin()
        login.succeed(now)
    login.reject(1)
    assert login.is_usable(2.0)
    login.reject(2)
    assert not login.is_usable(2.0)


def test_logins_that_do_not_help_are_few_a_minute() -> None:
    """The identity service counts them by address, and others are behind it too."""
    login = Login(None)
    for number in range(LOGINS):
        assert login.may_begin(float(number))
        login.begin()
        login.succeed(float(number))
        login.reject(login.generation)
    assert not login.may_begin(59.0)
    assert login.may_begin(60.0)


REFUSED = {"kind": "refused_token", "message": "no", "retry_after": None}
DOWN = {"kind": "unreachable", "message": "down", "retry_after": None}


def test_a_refusal_holds_for_a_moment() -> None:
    """Then it is asked again: a person may have mended it."""
    attempts = LoginAttempts(Login(None))
    attempts.login.begin()
    assert isinstance(attempts.fail(REFUSED, 10.0), RefusedToken)
    assert not attempts.login.may_begin(9.9 + REFUSAL_HOLDS)
    assert attempts.login.may_begin(10.0 + REFUSAL_HOLDS)


def test_a_login_that_finds_nobody_is_tried_again_a_few_times() -> None:
    """Then all who wait are told, and the next one may try at once."""
    attempts = LoginAttempts(Login(None))
    now, told = 0.0, None
    while told is None:
        attempts.login.begin()
        told = attempts.fail(DOWN, now)
        now = max(now, attempts.login.not_before)
    assert attempts.login.count == 4
    assert now < 4.0
    assert attempts.login.refusal is None


def test_a_login_on_disk_spares_the_next_agent_its_own(vault: VaultScene, tmp_path: Path) -> None:
    """The file is closed to others and holds neither token nor key in the clear."""
    client = VaultClient(read_settings({**vault.environ, "BITWARDEN_STATE_DIR": str(tmp_path)}))
    client.list_projects()
    client.stop()
    client.list_projects()
    assert vault.logins() == 1
    assert client.status()["logins"] == 0
    client.stop()
    (state,) = tmp_path.iterdir()
    assert state.stat().st_mode & 0o777 == 0o600
    assert state.read_text().startswith("2.")


def test_a_login_on_disk_that_is_broken_or_stale_is_made_anew(vault: VaultScene, tmp_path: Path) -> None:
    """The caller notices nothing."""
    client = VaultClient(read_settings({**vault.environ, "BITWARDEN_STATE_DIR": str(tmp_path)}))
    client.list_projects()
    client.stop()
    (state,) = tmp_path.iterdir()
    state.write_text("torn")
    client.list_projects()
    client.stop()
    vault.workplace.bitwarden.advance_clock(4000)
    client.list_projects()
    client.stop()
    assert vault.logins() == 3


def test_a_login_on_disk_that_others_can_read_is_refused(vault: VaultScene, tmp_path: Path) -> None:
    """It is said before an agent is started; so is a folder that is not there."""
    settings = read_settings({**vault.environ, "BITWARDEN_STATE_DIR": str(tmp_path)})
    state = tmp_path / f"{settings.token.client_id}.state"
    state.touch(0o644)
    with pytest.raises(Misconfigured, match="chmod 600"):
        VaultClient(settings).list_projects()
    missing = read_settings({**vault.environ, "BITWARDEN_STATE_DIR": str(tmp_path / "no")})
    with pytest.raises(Misconfigured, match="BITWARDEN_STATE_DIR"):
        VaultClient(missing).list_projects()


def test_a_login_in_memory_leaves_no_file(vault: VaultScene) -> None:
    """Only socket, lock and log lie in the agent's directory."""
    vault.client.list_projects()
    assert {path.suffix for path in vault.directory.iterdir()} == {".sock", ".lock", ".log"}
    assert all(path.stat().st_size == 0 for path in vault.directory.iterdir())
