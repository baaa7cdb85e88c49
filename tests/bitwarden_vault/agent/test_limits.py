"""What the agent makes of limits and logins: 429, reservations, expired bearers, throttled logins."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bitwarden_vault.client import VaultClient
from bitwarden_vault.errors import (
    NoAnswerInTime,
    RateLimited,
    RefusedToken,
    Unreachable,
)
from bitwarden_vault.settings import read_settings
from sandbox.bitwarden import Fault
from scenes.vault.scene import VaultScene

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures"]


def test_too_many_requests_are_waited_out(vault: VaultScene) -> None:
    """Eight creates where five a second are allowed: all are done, none twice, in about a second."""
    vault.client.list_projects()
    vault.workplace.bitwarden.rate_limits(True)  # noqa: FBT003  # reads as a switch
    project = vault.workplace.project

    def create(number: int) -> None:
        vault.client.create_secret(key=str(number), value="v", note="", project_id=project)

    begun = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(create, range(8)))
    assert sorted(one.key for one in vault.client.list_secrets()) == [str(number) for number in range(8)]
    assert 1.0 <= time.monotonic() - begun < 4.0


def test_after_one_429_the_limits_are_kept_without_being_told(vault: VaultScene) -> None:
    """The agent counts for itself: no second 429."""
    vault.client.list_projects()
    vault.workplace.bitwarden.rate_limits(True)  # noqa: FBT003  # reads as a switch
    project = vault.workplace.project

    def create(number: int) -> None:
        vault.client.create_secret(key=str(number), value="v", note="", project_id=project)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(create, range(8)))
    time.sleep(1.1)
    vault.workplace.bitwarden.clear_requests()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(create, range(8)))
    assert [line.status for line in vault.workplace.bitwarden.requests()].count(429) == 0


def test_a_wait_that_is_longer_than_the_patience_is_an_error_at_once(vault: VaultScene) -> None:
    """It names how long; the write was not done."""
    vault.client.list_projects()
    slow_down = '{"message":"Slow down! Too many requests. Try again in 1m."}'
    vault.workplace.bitwarden.fault(Fault("answer", verb="POST", path="/api/*", status=429, body=slow_down))
    begun = time.monotonic()
    with pytest.raises(RateLimited):
        vault.client.create_secret(key="k", value="v", note="", project_id=vault.workplace.project)
    assert time.monotonic() - begun < 2.0
    vault.workplace.bitwarden.clear_faults()
    with pytest.raises(RateLimited) as caught:
        vault.client.create_secret(key="k", value="v", note="", project_id=vault.workplace.project)
    assert caught.value.retry_after is not None
    assert 50 < caught.value.retry_after <= 60
    assert vault.workplace.stored() == []


def test_the_agent_takes_the_longest_durations_that_settings_allow(vault: VaultScene) -> None:
    """It hangs up on what it takes for no client of ours."""
    names = ("DEADLINE", "PATIENCE", "CACHE_LIFE", "IDLE_EXIT")
    longest = {f"BITWARDEN_{name}": "240h" for name in names}
    client = VaultClient(read_settings({**vault.environ, **longest}))
    vault.put("k")
    assert client.find_secret("k") is not None
    client.stop()


def _turn_limits_on(vault: VaultScene) -> None:
    """One 429, and the second that it asks for is over."""
    slow_down = '{"message":"Slow down! Too many requests. Try again in 1s."}'
    vault.workplace.bitwarden.fault(Fault("answer", verb="PUT", status=429, body=slow_down, times=1))
    made = vault.put()
    vault.client.update_secret(made, key="k", value="v", note="", project_id=vault.workplace.project)


def test_reserved_places_are_kept_from_others(vault: VaultScene) -> None:
    """Whoever reserved goes first; whoever is late is told for how long."""
    _turn_limits_on(vault)
    made, project = vault.put(), vault.workplace.project

    def update(client: VaultClient) -> None:
        client.update_secret(made, key="k", value="v", note="", project_id=project)

    mine = vault.client
    mine.reserve(creates=1, updates=[made] * 58, reads=[made])
    for _ in range(2):
        update(vault.client)
    with pytest.raises(RateLimited) as caught:
        update(vault.client)
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 50
    update(mine)
    with pytest.raises(RateLimited):
        vault.client.reserve(updates=[made])
    mine.reserve()
    update(vault.client)
    assert vault.client.status()["waiting"] == 0


def test_a_reservation_waits_for_room_and_is_then_made(vault: VaultScene) -> None:
    """Nothing else has to happen for it to be looked at again."""
    vault.client.list_projects()
    slow_down = '{"message":"Slow down! Too many requests. Try again in 1s."}'
    vault.workplace.bitwarden.fault(
        Fault("answer", verb="GET", path="/api/secrets/*", status=429, body=slow_down)
    )
    made = vault.put()
    with pytest.raises(RateLimited):
        vault.client_with(patience=0.5).get_secret(made)
    begun = time.monotonic()
    vault.client.reserve(reads=[made])
    assert 0.5 <= time.monotonic() - begun < 2.0


def test_a_reservation_makes_sure_of_the_login(vault: VaultScene) -> None:
    """Nothing of the rotation begins where the vault cannot be written to."""
    vault.client.reserve(creates=1)
    assert vault.logins() == 1
    vault.client.stop()
    vault.workplace.bitwarden.revoke_token(vault.workplace.token)
    with pytest.raises(RefusedToken):
        vault.client.reserve(creates=1)


def test_a_server_that_answers_401_to_everything_does_not_make_a_storm_of_logins(vault: VaultScene) -> None:
    """Ten a minute are all that anybody behind this address has."""
    vault.workplace.bitwarden.fault(Fault("answer", path="/api/*", status=401, body=""))
    impatient = vault.client_with(patience=0.3)
    for _ in range(8):
        with pytest.raises((Unreachable, RateLimited)):
            impatient.list_projects()
    assert vault.logins() <= 4


def test_a_bearer_that_expired_is_renewed(vault: VaultScene) -> None:
    """The caller notices nothing, also where it writes."""
    made, project = vault.put(), vault.workplace.project
    for _ in range(2):
        vault.client.get_secret(made)
        vault.workplace.bitwarden.advance_clock(4000)
        vault.client.update_secret(made, key="k", value="new", note="", project_id=project)
    assert vault.logins() == 3


def test_workers_share_one_login(vault: VaultScene) -> None:
    """Also those that are started later."""
    ids = [vault.put() for _ in range(4)]
    vault.workplace.bitwarden.fault(Fault("delay", verb="GET", path="/api/secrets/*", seconds=0.3))
    with ThreadPoolExecutor() as pool:
        list(pool.map(vault.client.get_secret, ids))
    assert len(vault.workers()) > 1
    assert vault.logins() == 1


def test_a_throttled_login_is_waited_for(vault: VaultScene) -> None:
    """The server says for how long."""
    slow_down = '{"message":"Slow down! Too many requests. Try again in 1s."}'
    vault.workplace.bitwarden.fault(
        Fault("answer", path="/identity/connect/token", status=429, body=slow_down, times=1)
    )
    begun = time.monotonic()
    vault.client.list_projects()
    assert 1.0 <= time.monotonic() - begun < 3.0
    vault.workplace.bitwarden.clear_faults()


def test_an_identity_service_that_is_silent_is_named(vault: VaultScene) -> None:
    """All who wait for the login are told at its deadline."""
    vault.workplace.bitwarden.fault(Fault("hang", path="/identity/connect/token"))
    client = vault.client_with(deadline=0.5)

    def call(_number: int) -> str:
        with pytest.raises(NoAnswerInTime) as caught:
            client.list_projects()
        return caught.value.message

    with ThreadPoolExecutor() as pool:
        assert all("identity service" in said for said in pool.map(call, range(3)))
