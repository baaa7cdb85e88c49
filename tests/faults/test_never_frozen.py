"""Bitwarden is silent: whoever asks it pays one deadline, and nobody else notices."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from bitwarden_vault.agent.dispatch import MOST_WORKERS
from bitwarden_vault.errors import NoAnswerInTime, OutcomeUnknown
from sandbox.bitwarden import Fault
from scenes.heart import Heart
from scenes.vault.scene import VaultScene

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures"]

DEADLINE = 1.0
STUTTER = 0.5
"""Far more than a busy machine needs for the next beat, and far less than the deadline."""


def _silence(vault: VaultScene, path: str = "/api/*", verb: str = "*") -> None:
    vault.workplace.bitwarden.fault(Fault("hang", verb=verb, path=path))


@pytest.mark.parametrize("operation", ["read", "write", "list"])
def test_heartbeats_go_on_while_a_call_waits_for_a_silent_bitwarden(
    vault: VaultScene, operation: str
) -> None:
    """The SDK would hold the interpreter, and with it every thread; it is in another process."""
    made, client = vault.put(), vault.client_with(deadline=DEADLINE)
    client.get_secret(made)
    _silence(vault)
    calls: dict[str, Callable[[], object]] = {
        "read": lambda: client.get_secret(made),
        "list": client.list_secrets,
        "write": lambda: client.update_secret(
            made, key="k", value="new", note="", project_id=vault.workplace.project
        ),
    }
    begun = time.monotonic()
    with Heart() as heart, pytest.raises((NoAnswerInTime, OutcomeUnknown)):
        calls[operation]()
    assert DEADLINE <= time.monotonic() - begun < DEADLINE + 1.0
    assert heart.longest < STUTTER
    assert heart.beats > 20


def test_an_event_loop_that_asks_from_a_thread_goes_on_turning(vault: VaultScene) -> None:
    """As a triggerer does, whose thousand triggers share one loop."""
    made, client = vault.put(), vault.client_with(deadline=DEADLINE)
    client.get_secret(made)
    _silence(vault)

    async def turning() -> float:
        asking = asyncio.ensure_future(asyncio.to_thread(client.get_secret, made))
        longest, last = 0.0, time.monotonic()
        while not asking.done():
            await asyncio.sleep(0.01)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        with pytest.raises(NoAnswerInTime):
            await asking
        return longest

    assert asyncio.run(turning()) < STUTTER


def test_many_who_ask_a_silent_bitwarden_pay_one_deadline_and_not_in_turns(vault: VaultScene) -> None:
    """Four times as many as there are workers: four deadlines, were they to find out one after the other.

    Each counts from the sending, so that who had to wait for a process to start takes a little longer.
    """
    made, client = vault.put(), vault.client_with(deadline=DEADLINE)
    client.get_secret(made)
    _silence(vault)

    def ask(_: int) -> float:
        begun = time.monotonic()
        with pytest.raises(NoAnswerInTime):
            client.get_secret(made)
        return time.monotonic() - begun

    with ThreadPoolExecutor(4 * MOST_WORKERS) as pool:
        costs = list(pool.map(ask, range(4 * MOST_WORKERS)))
    assert max(costs) < 2.5 * DEADLINE


def test_what_is_remembered_is_answered_at_once_while_every_worker_hangs(vault: VaultScene) -> None:
    """The agent's own answers need no worker: 99 in 100 come within a small part of the deadline."""
    vault.put("k", "remembered")
    others = [vault.put(f"stuck {number}") for number in range(6)]
    client, impatient = vault.client, vault.client_with(deadline=2 * DEADLINE)
    assert client.find_secret("k") is not None
    _silence(vault)
    costs: list[float] = []
    with ThreadPoolExecutor(len(others)) as pool:
        waiting = [pool.submit(impatient.get_secret, one) for one in others]
        while not all(one.done() for one in waiting):
            begun = time.monotonic()
            assert client.find_secret("k") is not None
            costs.append(time.monotonic() - begun)
        for one in waiting:
            assert isinstance(one.exception(), NoAnswerInTime)
    assert len(costs) > 50
    assert sorted(costs)[int(0.99 * len(costs))] < 0.2 * DEADLINE
