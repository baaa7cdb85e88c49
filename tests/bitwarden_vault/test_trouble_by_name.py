"""Each kind of trouble has its own error, within the deadline, for those who read and for those who write."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bitwarden_vault.errors import VaultError
from sandbox.bitwarden import Fault
from scenes.vault.scene import VaultScene
from scenes.vault.trouble import CHALLENGE, SLOW_DOWN, TOKEN_PATH

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures"]

DEADLINE = 0.7
PAGE = {"body": CHALLENGE, "content_type": "text/html; charset=utf-8"}
KINDS: dict[str, dict[str, Any]] = {
    "slow": {"does": "delay", "seconds": 0.1},
    "silence": {"does": "hang"},
    "silence after the commit": {"does": "hang_after_commit"},
    "500": {"does": "answer", "status": 500, "body": '{"message":"An unhandled server error has occurred."}'},
    "garbage": {"does": "garbage"},
    "a challenge": {"does": "answer", "status": 403, **PAGE},
    "a login page": {"does": "answer", "status": 200, **PAGE},
    "a proxy's 502": {"does": "answer", "status": 502, **PAGE},
    "dropped": {"does": "drop"},
    "dropped after the commit": {"does": "drop_after_commit"},
    "half an answer": {"does": "cut_answer"},
    "429": {"does": "answer", "status": 429, "body": SLOW_DOWN.format("1m")},
    "401": {"does": "answer", "status": 401},
}
TOLD = {
    "slow": ("answered", "answered"),
    "silence": ("no_answer", "outcome_unknown"),
    "silence after the commit": ("no_answer", "outcome_unknown"),
    "500": ("unreachable", "outcome_unknown"),
    "garbage": ("unreachable", "outcome_unknown"),
    "a challenge": ("blocked", "blocked"),
    "a login page": ("blocked", "outcome_unknown"),
    "a proxy's 502": ("unreachable", "outcome_unknown"),
    "dropped": ("unreachable", "outcome_unknown"),
    "dropped after the commit": ("unreachable", "outcome_unknown"),
    "half an answer": ("unreachable", "outcome_unknown"),
    "429": ("rate_limited", "rate_limited"),
    "401": ("unreachable", "unreachable"),
}
"""What a read and a write are told. Only `outcome_unknown` leaves doubt whether something was changed."""


def test_trouble_with_a_request_has_a_name(vault: VaultScene) -> None:
    """A write that may have been done is never told as one that was not."""
    client = vault.client_with(deadline=DEADLINE, patience=DEADLINE)
    told = {}
    for kind, fault in KINDS.items():
        made = vault.put()
        vault.workplace.bitwarden.fault(Fault(**fault, path=f"/api/secrets/{made}"))
        write = {"key": "k", "value": "new", "note": "", "project_id": vault.workplace.project}
        vault.client.list_projects()  # a worker is there, also after one was killed
        read = _told(client.get_secret, made)
        vault.client.list_projects()
        told[kind] = (read, _told(client.update_secret, made, **write))
        vault.workplace.bitwarden.clear_faults()
    assert told == TOLD


def test_trouble_with_the_login_is_not_called_a_bad_token_and_leaves_no_doubt(vault: VaultScene) -> None:
    """Nothing was sent, so that a write knows that nothing was done."""
    client = vault.client_with(deadline=DEADLINE, patience=3 * DEADLINE)
    told = {}
    for kind in ("silence", "500", "garbage", "a challenge", "dropped", "429"):
        vault.workplace.bitwarden.fault(Fault(**KINDS[kind], path=TOKEN_PATH))
        write = {"key": "k", "value": "v", "note": "", "project_id": vault.workplace.project}
        told[kind] = _told(client.create_secret, **write)
        vault.workplace.bitwarden.clear_faults()
        client.stop()
    assert told == {kind: TOLD[kind][0] for kind in told}
    assert vault.workplace.stored() == []


def _told(call: Callable[..., object], *arguments: object, **named: object) -> str:
    """The error's own name, which came in time."""
    begun = time.monotonic()
    try:
        call(*arguments, **named)
    except VaultError as error:
        is_in_time = (
            time.monotonic() - begun < 4 * DEADLINE + 1.0
        )  # patience, and one deadline of who was sent
        return error.kind if is_in_time else f"{error.kind}, late"
    return "answered"
