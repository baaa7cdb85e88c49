"""Who joins a request waits for it as long as its own patience lasts, and nobody's else."""

import time
from concurrent.futures import ThreadPoolExecutor

from bitwarden_vault.errors import RateLimited, Unreachable, VaultError
from sandbox.bitwarden import Fault
from scenes.vault.scene import VaultScene, until

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures"]

Told = tuple[str | None, VaultError | None, float]


def _look_up(vault: VaultScene, patience: float) -> Told:
    """The value or the error, and the seconds that it took."""
    begun = time.monotonic()
    try:
        found = vault.client_with(patience=patience).find_secret("k")
    except VaultError as error:
        return None, error, time.monotonic() - begun
    return found.value if found else None, None, time.monotonic() - begun


def _slow_down(vault: VaultScene, seconds: int) -> None:
    body = f'{{"message":"Slow down! Too many requests. Try again in {seconds}s."}}'
    path = "/api/organizations/*/secrets"
    vault.workplace.bitwarden.fault(Fault("answer", path=path, status=429, body=body))


def _is_waiting(vault: VaultScene) -> None:
    until(lambda: vault.client.status().get("waiting") == 1, "it waits")


def test_an_impatient_one_is_told_and_the_patient_one_waits_on(vault: VaultScene) -> None:
    """Whoever came first."""
    vault.put("k", "v")
    vault.client.list_projects()
    _slow_down(vault, 5)
    with ThreadPoolExecutor() as pool:
        patient = pool.submit(_look_up, vault, 20.0)
        _is_waiting(vault)
        found, error, took = _look_up(vault, 1.0)
        assert (found, type(error)) == (None, RateLimited)
        assert took < 3.0
        vault.workplace.bitwarden.clear_faults()
        assert patient.result()[0] == "v"


def test_those_who_join_do_not_prolong_the_patience_of_the_first(vault: VaultScene) -> None:
    """Bitwarden asks for a second again and again, and somebody joins in each."""
    vault.client.list_projects()
    _slow_down(vault, 1)
    with ThreadPoolExecutor() as pool:
        waiting = [pool.submit(_look_up, vault, 3.0)]
        for _ in range(4):
            time.sleep(1.0)
            waiting.append(pool.submit(_look_up, vault, 3.0))
        told = [one.result() for one in waiting]
    assert [type(error) for _, error, _ in told] == [RateLimited] * 5
    assert max(took for _, _, took in told) < 5.0


def test_who_waits_for_a_login_with_others_is_told_at_its_own_time(vault: VaultScene) -> None:
    """The identity service is silent; that takes a deadline, of which the impatient one has no part."""
    vault.workplace.bitwarden.fault(Fault("hang", path="/identity/connect/token"))
    with ThreadPoolExecutor() as pool:
        patient = pool.submit(_look_up, vault, 20.0)
        _is_waiting(vault)
        found, error, took = _look_up(vault, 1.0)
        assert found is None
        assert isinstance(error, Unreachable)
        assert 1.0 <= took < 3.0
        assert patient.result()[2] > took
