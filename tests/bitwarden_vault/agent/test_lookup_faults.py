"""Many who look up the same thing at once, and what they get on a bad day."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from bitwarden_vault.client import VaultClient
from bitwarden_vault.errors import Misconfigured, NoAnswerInTime, RefusedToken
from sandbox.bitwarden import Fault
from scenes.vault.scene import VaultScene, until

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures"]

FIRST_USERS = 64


def _arrived(vault: VaultScene, verb: str = "GET") -> None:
    requests = vault.workplace.bitwarden.requests
    until(lambda: any(line.verb == verb and line.fault for line in requests()), "the request arrives")


def _value(client: VaultClient) -> str | None:
    found = client.find_secret("k")
    return None if found is None else found.value


def test_many_first_users_are_one_agent_one_login_and_one_read(vault: VaultScene) -> None:
    """However many tasks begin at once, Bitwarden sees one client."""
    vault.put("k", "shared")
    code = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(16) as pool:
    found = list(pool.map(lambda _: VaultClient(settings).find_secret("k").value, range(16)))
print(client.status()["pid"], *set(found))
"""
    told = vault.run(code, count=FIRST_USERS // 16)
    assert set(told) == {f"{vault.agent()} shared"}
    assert vault.client.status()["requests"] == {"log_in": 1, "list_secrets": 1, "get_secret": 1}


@pytest.mark.alone
def test_when_bitwarden_hangs_what_is_remembered_is_answered_at_once(vault: VaultScene) -> None:
    """And the rest ends at the deadline: one deadline, however many wait for the same answer."""
    vault.put("k", "remembered")
    stuck = vault.put("stuck")
    assert vault.client.find_secret("k") is not None
    vault.workplace.bitwarden.fault(Fault("hang", verb="GET", path=f"/api/secrets/{stuck}"))
    with ThreadPoolExecutor(8) as pool:
        begun = time.monotonic()
        waiting = [pool.submit(vault.client_with(deadline=1.5).find_secret, "stuck") for _ in range(4)]
        _arrived(vault)
        for _ in range(50):
            assert vault.client.find_secret("k") is not None
        assert time.monotonic() - begun < 1.5
        for one in waiting:
            with pytest.raises(NoAnswerInTime):
                one.result()
    assert 1.5 <= time.monotonic() - begun < 3.0


def test_a_read_that_a_write_overtook_is_not_remembered(vault: VaultScene) -> None:
    """Who asks after the write sees it, also while the read from before is still under way."""
    made, client = vault.put("k", "old"), vault.client
    other = vault.put("other")
    client.get_secret(other)  # a second worker will be there
    vault.workplace.bitwarden.fault(
        Fault("slow_answer", verb="GET", path=f"/api/secrets/{made}", seconds=1.0, times=1)
    )
    with ThreadPoolExecutor() as pool:
        reading = pool.submit(client.find_secret, "k")
        _arrived(vault)
        client.update_secret(made, key="k", value="new", note="", project_id=vault.workplace.project)
        assert _value(client) == "new"
        assert reading.result() is not None
    assert _value(client) == "new"


def test_a_refused_token_is_an_error_for_all_and_no_miss(vault: VaultScene) -> None:
    """A miss would make Airflow say that the connection is not defined."""
    vault.workplace.bitwarden.revoke_token(vault.workplace.token)
    with pytest.raises(RefusedToken):
        vault.client.find_secret("k")


@pytest.mark.parametrize("body", ['{"message":"Resource not found."}', "404 page not found", ""])
@pytest.mark.parametrize("asked", ["secrets", "projects"])
def test_a_404_to_a_list_is_no_miss(vault: VaultScene, asked: str, body: str) -> None:
    """A server answers so to another organisation's id, a proxy to a wrong address: both are named."""
    vault.put("k")
    path, content_type = f"/api/organizations/*/{asked}", "text/plain"
    vault.workplace.bitwarden.fault(
        Fault("answer", path=path, status=404, body=body, content_type=content_type)
    )
    for key in ("k", "missing"):
        with pytest.raises(Misconfigured, match="BWS_ORGANIZATION_ID") as caught:
            vault.client.find_secret(key, [vault.workplace.project_name])
        assert "BWS_API_URL" in caught.value.message
        assert vault.settings.api_url in caught.value.message
    vault.workplace.bitwarden.clear_faults()
    assert vault.client.find_secret("k", [vault.workplace.project_name]) is not None


def test_another_organisations_id_is_named(vault: VaultScene) -> None:
    """It is well-formed, so that nothing else finds out."""
    vault.put("k")
    client = vault.client_with(organization_id=str(uuid4()))
    try:
        with pytest.raises(Misconfigured, match="BWS_ORGANIZATION_ID"):
            client.find_secret("k")
    finally:
        client.stop()


def test_a_rate_limit_is_waited_out(vault: VaultScene) -> None:
    """Bitwarden told how long."""
    vault.put("k", "patience")
    slow_down = '{"message":"Slow down! Too many requests. Try again in 1s."}'
    vault.workplace.bitwarden.fault(
        Fault("answer", verb="GET", path="/api/*", status=429, body=slow_down, times=1)
    )
    assert _value(vault.client) == "patience"


def test_one_who_leaves_takes_the_answer_from_nobody(vault: VaultScene) -> None:
    """The one who asked first is killed; the one who joined is answered by the same request."""
    made = vault.put("k", "for both")
    vault.client.find_secret("other")
    fault = Fault("delay", verb="GET", path=f"/api/secrets/{made}", seconds=0.8, times=1)
    vault.workplace.bitwarden.fault(fault)
    with ThreadPoolExecutor() as pool:
        killed = pool.submit(vault.run, "signal.alarm(1); signal.setitimer(0, 0.5); client.find_secret('k')")
        _arrived(vault)
        joined = pool.submit(_value, vault.client)
        assert joined.result() == "for both"
        assert killed.result() == [""]
    reads = [line for line in vault.workplace.bitwarden.requests() if line.path.endswith(made)]
    assert len(reads) == 1
