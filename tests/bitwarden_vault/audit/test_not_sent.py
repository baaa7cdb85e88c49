"""A write whose asker has left before it went to Bitwarden: the trail says that it was not sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from bitwarden_vault.agent.audit_trail import Trail, open_trail
from bitwarden_vault.agent.token_slots import TokenSlots
from bitwarden_vault.settings import read_settings
from scenes.audit.trail import said

ENVIRON = {
    "BWS_ACCESS_TOKEN": "0.0bd4ee27-c9b8-4e2c-b4ba-b0a0dd7a3a3a.s3cr3t:AAECAwQFBgcICQoLDA0ODw==",
    "BWS_ORGANIZATION_ID": "5f5b5c6e-2f4c-4a0c-8f43-0d1dcf6ad8f1",
}


@pytest.fixture
def trail(tmp_path: Path) -> Trail:
    settings = read_settings({**ENVIRON, "BITWARDEN_AUDIT_PATH": str(tmp_path)})
    return open_trail(settings, TokenSlots(), print)


@pytest.mark.parametrize("is_there", [True, False])
def test_who_has_left_is_told_apart_from_a_write_without_an_outcome(
    trail: Trail, tmp_path: Path, *, is_there: bool
) -> None:
    """`sent` alone would send an auditor to Bitwarden, to look for what was never asked."""
    message = {"operation": "create_secret", "arguments": {"key": "k"}, "caller": {}}
    tell = trail.watched(message, lambda _: is_there, (1, 2))
    assert tell({"sending": True}) is is_there
    trail.end()
    assert [line["outcome"] for line in said(tmp_path)] == ["sent", *([] if is_there else ["not_sent"])]


def test_a_read_for_nobody_has_no_line(trail: Trail, tmp_path: Path) -> None:
    """Nobody was given anything."""
    tell = trail.watched({"operation": "get_secret", "arguments": {"id": "x"}}, lambda _: False, (1, 2))
    assert not tell({"sending": True})
    trail.end()
    assert said(tmp_path) == []
