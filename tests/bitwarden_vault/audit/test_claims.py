"""What a caller says of itself is kept short: a line of the trail is no place for a megabyte of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bitwarden_vault.agent.audit_trail import open_trail
from bitwarden_vault.agent.token_slots import TokenSlots
from bitwarden_vault.settings import read_settings
from scenes.audit.trail import said

ENVIRON = {
    "BWS_ACCESS_TOKEN": "0.0bd4ee27-c9b8-4e2c-b4ba-b0a0dd7a3a3a.s3cr3t:AAECAwQFBgcICQoLDA0ODw==",
    "BWS_ORGANIZATION_ID": "5f5b5c6e-2f4c-4a0c-8f43-0d1dcf6ad8f1",
}
CLAIMS = {"dag_id": "dag", "task_id": "task", "run_id": "run", "user": "user"}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_is_cut_at_250_characters(tmp_path: Path, name: str) -> None:
    """As long as Airflow lets such a name be, so that no real one is cut."""
    trail = open_trail(read_settings({**ENVIRON, "BITWARDEN_AUDIT_PATH": str(tmp_path)}), TokenSlots(), print)
    for length in (250, 100_000):
        message = {"operation": "list_projects", "arguments": {}, "caller": {name: "x" * length}}
        trail.watched(message, lambda _: True, (1, 2))({"result": []})
    trail.end()
    assert [line["claimed"] for line in said(tmp_path)] == [{CLAIMS[name]: "x" * 250}] * 2
